"""`emr`: a job is a step, on a cluster that is there, or on one that is made for it and ends with it.

The driver runs on the primary node, as a child of the step's process. In a container of YARN's it would outlive a step
that is cancelled: EMR kills the step's process and what descends from it, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from tidemark_contract.argv import Job
from tidemark_contract.errors import PlatformRefused, SettingsError
from tidemark_orchestration.launchers.aws import ONCE, PATIENT, aws_told, region_of
from tidemark_orchestration.launchers.spark_submit import LOGS, SparkSubmit
from tidemark_orchestration.launchers.target import Remote, State, Target
from tidemark_orchestration.launchers.work import Work

CLUSTER, CREATE = "TIDEMARK_EMR_CLUSTER", "TIDEMARK_EMR_CREATE"


def read_emr(environment: Mapping[str, str]) -> Target:
    """Read TIDEMARK_EMR_CLUSTER or TIDEMARK_EMR_CREATE, and TIDEMARK_SPARK_*; SettingsError."""
    cluster, connection = environment.get(CLUSTER), environment.get(CREATE)
    if cluster and connection:
        raise SettingsError(f"{CLUSTER} and {CREATE} are both set: leave the one that is not meant")
    if not cluster and not connection:
        raise SettingsError(
            f"{CLUSTER} is not set: the id of the cluster that jobs run on\n"
            f"{CREATE} is not set: or the Airflow connection that says how one is made for each job"
        )
    emr, submit = Emr(region_of(environment)), SparkSubmit.read(environment)
    if cluster:
        return EmrSteps(emr, submit, cluster)
    return EmrClusters(emr, submit, str(connection), environment.get(LOGS))


@dataclass(frozen=True)
class Emr:
    """EMR, asked again where that does no harm: a step has no token, and would be added twice."""

    region: str | None

    @cached_property
    def patient(self) -> Any:
        """Ask so for what may be asked twice."""
        return self._client(PATIENT)

    @cached_property
    def once(self) -> Any:
        """Ask so for what may not."""
        return self._client(ONCE)

    def _client(self, config: Any) -> Any:
        from airflow.providers.amazon.aws.hooks.emr import EmrHook

        return EmrHook(region_name=self.region, config=config).get_conn()


def step(name: str, submit: SparkSubmit, job: Job, outcome: str, on_failure: str) -> dict[str, Any]:
    """Give the step that runs a job."""
    variables = [f"{variable}={value}" for variable, value in submit.environment(outcome, job).items()]
    words = ["spark-submit", "--deploy-mode", "client", *submit.words, submit.entry, *job.argv()]
    run = {"Jar": "command-runner.jar", "Args": ["env", *variables, *words]}
    return {"Name": name, "ActionOnFailure": on_failure, "HadoopJarStep": run}


@dataclass(frozen=True)
class EmrSteps(Target):
    """A cluster that is there; its own StepConcurrencyLevel says how many jobs run at once."""

    label: ClassVar[str] = "EMR step"
    ending: ClassVar[frozenset[str]] = frozenset({"CANCEL_PENDING"})
    over: ClassVar[frozenset[str]] = frozenset({"COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED"})

    emr: Emr
    submit: SparkSubmit
    cluster: str

    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Look through those that are not over, which are few."""
        states = ["PENDING", "RUNNING", *self.ending]
        with self._told():
            pages = self.emr.patient.get_paginator("list_steps").paginate(ClusterId=self.cluster, StepStates=states)
            steps = [step for page in pages for step in page["Steps"] if owns(step["Name"])]
        return Remote(steps[0]["Id"], steps[0]["Name"]) if steps else None

    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Add the step."""
        added = step(name, self.submit, job, outcome, "CONTINUE")
        with self._told():
            [id_] = self.emr.once.add_job_flow_steps(JobFlowId=self.cluster, Steps=[added])["StepIds"]
        return Remote(id_, name)

    def state(self, remote: Remote) -> State:
        """Look at it."""
        with self._told():
            found = self.emr.patient.describe_step(ClusterId=self.cluster, StepId=remote.id)["Step"]["Status"]
        details = found.get("FailureDetails") or found.get("StateChangeReason") or {}
        return State(found["State"], " ".join(str(says) for says in details.values() if says))

    def end(self, remote: Remote) -> None:
        """Cancel it, with all that its process has started."""
        with self._told():
            [answer] = self.emr.patient.cancel_steps(
                ClusterId=self.cluster, StepIds=[remote.id], StepCancellationOption="TERMINATE_PROCESS"
            )["CancelStepsInfoList"]
        if answer["Status"] == "FAILED" and self.state(remote).word not in self.over:
            raise PlatformRefused(f"EMR cluster {self.cluster}: EMR refuses: {answer.get('Reason')}")

    def _told(self) -> Any:
        return aws_told(f"EMR cluster {self.cluster}")


@dataclass(frozen=True)
class EmrClusters(Target):
    """A cluster for each job; EMR ends it when the job is over, whether its task still lives or not."""

    label: ClassVar[str] = "EMR cluster"
    ending: ClassVar[frozenset[str]] = frozenset({"TERMINATING"})
    over: ClassVar[frozenset[str]] = frozenset({"TERMINATED", "TERMINATED_WITH_ERRORS"})

    emr: Emr
    submit: SparkSubmit
    connection: str
    logs: str | None

    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Look through those that are not over, which are few."""
        states = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", *self.ending]
        with self._told():
            pages = self.emr.patient.get_paginator("list_clusters").paginate(ClusterStates=states)
            clusters = [cluster for page in pages for cluster in page["Clusters"] if owns(cluster["Name"])]
        return Remote(clusters[0]["Id"], clusters[0]["Name"]) if clusters else None

    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Make the cluster, with the job as its last step."""
        template = self._template()
        last = step(name, self.submit, job, outcome, "TERMINATE_CLUSTER")
        ends = {"KeepJobFlowAliveWhenNoSteps": False, "TerminationProtected": False}
        wanted = {
            **({"LogUri": self.logs} if self.logs else {}),
            **template,
            "Name": name,
            "Instances": {**template.get("Instances", {}), **ends},
            "Steps": [*template.get("Steps", []), last],
        }
        with self._told():
            return Remote(self.emr.once.run_job_flow(**wanted)["JobFlowId"], name)

    def state(self, remote: Remote) -> State:
        """Look at it."""
        with self._told():
            found = self.emr.patient.describe_cluster(ClusterId=remote.id)["Cluster"]["Status"]
        return State(found["State"], (found.get("StateChangeReason") or {}).get("Message") or "")

    def end(self, remote: Remote) -> None:
        """Terminate it; nothing when it is."""
        with self._told():
            self.emr.patient.terminate_job_flows(JobFlowIds=[remote.id])

    def _template(self) -> dict[str, Any]:
        from airflow.sdk import BaseHook
        from airflow.sdk.exceptions import AirflowException

        try:
            return dict(BaseHook.get_connection(self.connection).extra_dejson)
        except AirflowException as error:
            raise SettingsError(f"{CREATE} is {self.connection!r}, which is no connection: {error}") from error

    def _told(self) -> Any:
        return aws_told(f"an EMR cluster made as {self.connection} says")
