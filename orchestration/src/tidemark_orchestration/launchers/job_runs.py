"""What EMR Serverless and EMR on EKS have in common: a place, and job runs in it that are known by a token."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from tidemark_contract.argv import Job
from tidemark_orchestration.launchers.aws import PATIENT, aws_told
from tidemark_orchestration.launchers.spark_submit import SparkSubmit
from tidemark_orchestration.launchers.target import Remote, State, Target
from tidemark_orchestration.launchers.work import Work


@dataclass(frozen=True)
class JobRuns(Target):
    """A place, and the role that jobs run as in it. What a kind of place calls things stands in its class."""

    running: ClassVar[tuple[str, ...]]
    place_word: ClassVar[str]
    id_word: ClassVar[str]
    look_word: ClassVar[str]
    driver_word: ClassVar[str]
    driver_variable: ClassVar[str]

    place: str
    role: str
    submit: SparkSubmit
    overrides: Mapping[str, Any]
    region: str | None

    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Look through those that are not over, which are few."""
        states = [*self.running, *self.ending]
        with self._told():
            pages = self._client.get_paginator("list_job_runs").paginate(**self._here, states=states)
            runs = [run for page in pages for run in page["jobRuns"] if owns(run.get("name"))]
        return Remote(runs[0]["id"], runs[0]["name"]) if runs else None

    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Start it; the name is its token too, so a second call gives the first one's job."""
        driver = {
            "entryPoint": self.submit.entry,
            "entryPointArguments": job.argv(),
            "sparkSubmitParameters": " ".join(self.submit.parameters(self.driver_variable, outcome, job)),
        }
        with self._told():
            run = self._client.start_job_run(
                **self._here,
                clientToken=name,
                name=name,
                executionRoleArn=job.at(self.role),
                jobDriver={self.driver_word: driver},
                configurationOverrides=self.overrides,
                **self._wishes(work),
            )
        return Remote(run[self.id_word], name)

    def state(self, remote: Remote) -> State:
        """Look at it."""
        with self._told():
            run = getattr(self._client, self.look_word)(**self._here, **self._this(remote))["jobRun"]
        return State(run["state"], " ".join(filter(None, (run.get("failureReason"), run.get("stateDetails")))))

    def end(self, remote: Remote) -> None:
        """Cancel it, unless it is over: AWS refuses that."""
        if self.state(remote).word not in self.ending | self.over:
            with self._told():
                self._client.cancel_job_run(**self._here, **self._this(remote))

    def _wishes(self, work: Work) -> dict[str, Any]:
        """Give what else a start is told."""
        return {}

    @property
    @abstractmethod
    def _hook(self) -> Any:
        """Give the class of Airflow's hook; imported where it is needed."""

    @property
    def _here(self) -> dict[str, str]:
        return {self.place_word: self.place}

    def _this(self, remote: Remote) -> dict[str, str]:
        return {self.id_word: remote.id}

    def _told(self) -> Any:
        return aws_told(f"{self.label} in {self.place}")

    @cached_property
    def _client(self) -> Any:
        return self._hook(region_name=self.region, config=PATIENT).get_conn()
