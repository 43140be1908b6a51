"""`emr-serverless`: a job is a job run of an EMR Serverless application."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tidemark_orchestration.launchers.aws import region_of
from tidemark_orchestration.launchers.job_runs import JobRuns
from tidemark_orchestration.launchers.spark_submit import SparkSubmit, logs_to, needed
from tidemark_orchestration.launchers.work import Work

APPLICATION, ROLE = "TIDEMARK_EMR_SERVERLESS_APPLICATION", "TIDEMARK_EMR_SERVERLESS_ROLE"
_MEANING = {APPLICATION: "the id of the application", ROLE: "the ARN of the role that jobs run as"}


@dataclass(frozen=True)
class EmrServerless(JobRuns):
    """An application; it has to be one that starts by itself."""

    label: ClassVar[str] = "EMR Serverless job"
    running: ClassVar[tuple[str, ...]] = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING")
    ending: ClassVar[frozenset[str]] = frozenset({"CANCELLING"})
    over: ClassVar[frozenset[str]] = frozenset({"SUCCESS", "FAILED", "CANCELLED"})
    place_word: ClassVar[str] = "applicationId"
    id_word: ClassVar[str] = "jobRunId"
    look_word: ClassVar[str] = "get_job_run"
    driver_word: ClassVar[str] = "sparkSubmit"
    driver_variable: ClassVar[str] = "spark.emr-serverless.driverEnv."

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "EmrServerless":
        """Read TIDEMARK_EMR_SERVERLESS_* and TIDEMARK_SPARK_*; SettingsError."""
        found, submit = needed(_MEANING, environment), SparkSubmit.read(environment)
        return cls(found[APPLICATION], found[ROLE], submit, logs_to(environment), region_of(environment))

    def _wishes(self, work: Work) -> dict[str, Any]:
        """Without a limit it has twelve hours, and a copy may take a day."""
        if not work.timeout:
            return {}
        return {"executionTimeoutMinutes": max(5, math.ceil(work.timeout.total_seconds() / 60))}

    @property
    def _hook(self) -> Any:
        from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook

        return EmrServerlessHook
