"""`emr-serverless`: a job is a job run of an EMR Serverless application."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from tidemark_contract.argv import Job
from tidemark_orchestration.launchers.aws import PATIENT, aws_told, region_of
from tidemark_orchestration.launchers.remote import Remote, State, Target
from tidemark_orchestration.launchers.spark_submit import SparkSubmit, logs_to, needed
from tidemark_orchestration.launchers.work import Work

APPLICATION, ROLE = "TIDEMARK_EMR_SERVERLESS_APPLICATION", "TIDEMARK_EMR_SERVERLESS_ROLE"
_MEANING = {APPLICATION: "the id of the application", ROLE: "the ARN of the role that jobs run as"}


@dataclass(frozen=True)
class EmrServerless(Target):
    """An application; it has to be one that starts by itself."""

    label: ClassVar[str] = "EMR Serverless job"
    running: ClassVar[tuple[str, ...]] = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING")
    ending: ClassVar[frozenset[str]] = frozenset({"CANCELLING"})
    over: ClassVar[frozenset[str]] = frozenset({"SUCCESS", "FAILED", "CANCELLED"})

    application: str
    role: str
    submit: SparkSubmit
    overrides: Mapping[str, Any]
    region: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "EmrServerless":
        """Read TIDEMARK_EMR_SERVERLESS_* and TIDEMARK_SPARK_*; SettingsError."""
        found, submit = needed(_MEANING, environment), SparkSubmit.read(environment)
        return cls(found[APPLICATION], found[ROLE], submit, logs_to(environment), region_of(environment))

    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Look through those that are not over, which are few."""
        states = [*self.running, *self.ending]
        with self._told():
            pages = self._client.get_paginator("list_job_runs").paginate(applicationId=self.application, states=states)
            runs = [run for page in pages for run in page["jobRuns"] if owns(run.get("name"))]
        return Remote(runs[0]["id"], runs[0]["name"]) if runs else None

    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Start it; the name is its token too, so a second call gives the first one's job."""
        driver = {
            "entryPoint": self.submit.entry,
            "entryPointArguments": job.argv(),
            "sparkSubmitParameters": " ".join(self.submit.parameters("spark.emr-serverless.driverEnv.", outcome)),
        }
        # Without a limit it has twelve hours, and a copy may take a day.
        limit = (
            {"executionTimeoutMinutes": max(5, math.ceil(work.timeout.total_seconds() / 60))} if work.timeout else {}
        )
        with self._told():
            run = self._client.start_job_run(
                applicationId=self.application,
                clientToken=name,
                name=name,
                executionRoleArn=self.role,
                jobDriver={"sparkSubmit": driver},
                configurationOverrides=self.overrides,
                **limit,
            )
        return Remote(run["jobRunId"], name)

    def state(self, remote: Remote) -> State:
        """Look at it."""
        with self._told():
            run = self._client.get_job_run(applicationId=self.application, jobRunId=remote.id)["jobRun"]
        return State(run["state"], run.get("stateDetails") or "")

    def end(self, remote: Remote) -> None:
        """Cancel it, unless it is over: AWS refuses that."""
        if self.state(remote).word not in self.ending | self.over:
            with self._told():
                self._client.cancel_job_run(applicationId=self.application, jobRunId=remote.id)

    def _told(self) -> Any:
        return aws_told(f"EMR Serverless application {self.application}")

    @cached_property
    def _client(self) -> Any:
        from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook

        return EmrServerlessHook(region_name=self.region, config=PATIENT).conn
