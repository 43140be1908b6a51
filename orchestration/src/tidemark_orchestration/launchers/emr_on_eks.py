"""`emr-on-eks`: a job is a job run of a virtual cluster of EMR on EKS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from tidemark_contract.argv import Job
from tidemark_orchestration.launchers.aws import PATIENT, aws_told, region_of
from tidemark_orchestration.launchers.remote import Remote, State, Target
from tidemark_orchestration.launchers.spark_submit import SparkSubmit, logs_to, needed
from tidemark_orchestration.launchers.work import Work

CLUSTER, ROLE, RELEASE = "TIDEMARK_EMR_ON_EKS_CLUSTER", "TIDEMARK_EMR_ON_EKS_ROLE", "TIDEMARK_EMR_ON_EKS_RELEASE"
_MEANING = {
    CLUSTER: "the id of the virtual cluster",
    ROLE: "the ARN of the role that jobs run as",
    RELEASE: "the release of EMR, as emr-7.9.0-latest",
}


@dataclass(frozen=True)
class EmrOnEks(Target):
    """A virtual cluster."""

    label: ClassVar[str] = "EMR on EKS job"
    running: ClassVar[tuple[str, ...]] = ("PENDING", "SUBMITTED", "RUNNING")
    ending: ClassVar[frozenset[str]] = frozenset({"CANCEL_PENDING"})
    over: ClassVar[frozenset[str]] = frozenset({"COMPLETED", "FAILED", "CANCELLED"})

    cluster: str
    role: str
    release: str
    submit: SparkSubmit
    overrides: Mapping[str, Any]
    region: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "EmrOnEks":
        """Read TIDEMARK_EMR_ON_EKS_* and TIDEMARK_SPARK_*; SettingsError."""
        cluster, role, release = needed(_MEANING, environment).values()
        submit, region = SparkSubmit.read(environment), region_of(environment)
        return cls(cluster, role, release, submit, logs_to(environment), region)

    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Look through those that are not over, which are few."""
        states = [*self.running, *self.ending]
        with self._told():
            pages = self._client.get_paginator("list_job_runs").paginate(virtualClusterId=self.cluster, states=states)
            runs = [run for page in pages for run in page["jobRuns"] if owns(run.get("name"))]
        return Remote(runs[0]["id"], runs[0]["name"]) if runs else None

    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Start it; the name is its token too, so a second call gives the first one's job."""
        driver = {
            "entryPoint": self.submit.entry,
            "entryPointArguments": job.argv(),
            "sparkSubmitParameters": " ".join(self.submit.parameters("spark.kubernetes.driverEnv.", outcome)),
        }
        with self._told():
            run = self._client.start_job_run(
                virtualClusterId=self.cluster,
                clientToken=name,
                name=name,
                executionRoleArn=self.role,
                releaseLabel=self.release,
                jobDriver={"sparkSubmitJobDriver": driver},
                configurationOverrides=self.overrides,
            )
        return Remote(run["id"], name)

    def state(self, remote: Remote) -> State:
        """Look at it."""
        with self._told():
            run = self._client.describe_job_run(virtualClusterId=self.cluster, id=remote.id)["jobRun"]
        return State(run["state"], " ".join(filter(None, (run.get("failureReason"), run.get("stateDetails")))))

    def end(self, remote: Remote) -> None:
        """Cancel it, unless it is over: AWS refuses that."""
        if self.state(remote).word not in self.ending | self.over:
            with self._told():
                self._client.cancel_job_run(virtualClusterId=self.cluster, id=remote.id)

    def _told(self) -> Any:
        return aws_told(f"EMR on EKS virtual cluster {self.cluster}")

    @cached_property
    def _client(self) -> Any:
        from airflow.providers.amazon.aws.hooks.emr import EmrContainerHook

        return EmrContainerHook(region_name=self.region, config=PATIENT).conn
