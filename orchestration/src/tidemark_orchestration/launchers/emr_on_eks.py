"""`emr-on-eks`: a job is a job run of a virtual cluster of EMR on EKS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tidemark_orchestration.launchers.aws import region_of
from tidemark_orchestration.launchers.job_runs import JobRuns
from tidemark_orchestration.launchers.spark_submit import SparkSubmit, logs_to, needed
from tidemark_orchestration.launchers.work import Work

CLUSTER, ROLE, RELEASE = "TIDEMARK_EMR_ON_EKS_CLUSTER", "TIDEMARK_EMR_ON_EKS_ROLE", "TIDEMARK_EMR_ON_EKS_RELEASE"
_MEANING = {
    CLUSTER: "the id of the virtual cluster",
    ROLE: "the ARN of the role that jobs run as",
    RELEASE: "the release of EMR, as emr-7.9.0-latest",
}


@dataclass(frozen=True)
class EmrOnEks(JobRuns):
    """A virtual cluster."""

    label: ClassVar[str] = "EMR on EKS job"
    running: ClassVar[tuple[str, ...]] = ("PENDING", "SUBMITTED", "RUNNING")
    ending: ClassVar[frozenset[str]] = frozenset({"CANCEL_PENDING"})
    over: ClassVar[frozenset[str]] = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
    place_word: ClassVar[str] = "virtualClusterId"
    id_word: ClassVar[str] = "id"
    look_word: ClassVar[str] = "describe_job_run"
    driver_word: ClassVar[str] = "sparkSubmitJobDriver"
    driver_variable: ClassVar[str] = "spark.kubernetes.driverEnv."

    release: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "EmrOnEks":
        """Read TIDEMARK_EMR_ON_EKS_* and TIDEMARK_SPARK_*; SettingsError."""
        cluster, role, release = needed(_MEANING, environment).values()
        submit = SparkSubmit.read(environment)
        return cls(cluster, role, submit, logs_to(environment), region_of(environment), release)

    def _wishes(self, work: Work) -> dict[str, Any]:
        return {"releaseLabel": self.release}

    @property
    def _hook(self) -> Any:
        from airflow.providers.amazon.aws.hooks.emr import EmrContainerHook

        return EmrContainerHook
