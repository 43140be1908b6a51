"""A job that runs elsewhere: started once, found again, waited for, ended; its outcome lies in the lake.

Nothing is kept on the worker. A try first looks for the job of an earlier one: what runs is waited for, what was being
ended is let end, and what has ended well, unseen, counts.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN, TidemarkError
from tidemark_contract.outcome import Outcome
from tidemark_orchestration.launchers.launcher import GRACE_S, Finished
from tidemark_orchestration.launchers.outcomes import Outcomes
from tidemark_orchestration.launchers.work import Work
from tidemark_orchestration.words import Tell

SOON_S, LATER_S = 1.0, 20.0


@dataclass(frozen=True)
class Remote:
    """A job that was started: its id for the target, and the name that we gave it."""

    id: str
    name: str


@dataclass(frozen=True)
class State:
    """What a target calls a job's state, and what it says about it."""

    word: str
    says: str = ""


class Target(ABC):
    """What runs jobs. Every method raises PlatformUnavailable, or PlatformRefused with what a person has to change."""

    label: ClassVar[str]
    ending: ClassVar[frozenset[str]]
    over: ClassVar[frozenset[str]]

    @abstractmethod
    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Find a job that is not over, by its name."""

    @abstractmethod
    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Start a job that leaves its outcome at an address."""

    @abstractmethod
    def state(self, remote: Remote) -> State:
        """Look at a job."""

    @abstractmethod
    def end(self, remote: Remote) -> None:
        """Ask that a job end; nothing when it has."""


class RemoteLauncher:
    """Runs the job of one task on a target."""

    def __init__(self, target: Target, work: Work, tell: Tell, environment: Mapping[str, str]) -> None:
        self._target, self._work, self._tell = target, work, tell
        self._outcomes = Outcomes.read(environment)
        self._remote: Remote | None = None
        self._unwanted = False

    def run(self, job: Job) -> Finished:
        """Wait for the end of the task's job, which is started unless it runs already."""
        if seen := self._seen(job):
            return seen
        self._remote = self._adopted() or self._started(job)
        if self._unwanted:  # since before it had an id
            self.end()
        state = self._wait(self._remote, self._target.over)
        return self._finished(job, self._remote, state)

    def end(self, grace_s: float = GRACE_S) -> None:
        """Ask that the job end, and wait a while for it; where it does not, say how to find it."""
        self._unwanted = True
        if not (remote := self._remote):
            return
        try:
            self._target.end(remote)
            state = self._wait(remote, self._target.over, time.monotonic() + grace_s)
        except TidemarkError as error:
            self._tell(logging.ERROR, f"{self._called(remote)} could not be ended, end it by hand: {error}")
            return
        if state.word not in self._target.over:
            self._tell(logging.WARNING, f"{self._called(remote)} was told to end, and is {state.word} still")

    def _seen(self, job: Job) -> Finished | None:
        """Take what an earlier try, or this one begun before, has left when nobody looked."""
        for name in (*self._work.before, self._work.name):
            found = self._outcomes.look(job.source, name)
            if found and (found.code == EXIT_OK or name == self._work.name):
                self._outcomes.forget(job.source, name)
                self._tell(logging.INFO, f"{name} has ended while nobody looked: its outcome is taken")
                return _finished(found)
        return None

    def _adopted(self) -> Remote | None:
        """Find the job of an earlier try that still runs; one that is being ended is no use, but has to be gone."""
        while remote := self._target.find(self._work.owns):
            if self._target.state(remote).word in self._target.ending:
                self._wait(remote, self._target.over)
                continue
            self._tell(logging.INFO, f"{self._called(remote)} runs already: it is waited for")
            return remote
        return None

    def _started(self, job: Job) -> Remote:
        outcome = self._outcomes.address(job.source, self._work.name)
        remote = self._target.start(self._work.name, job, outcome, self._work)
        self._tell(logging.INFO, f"{self._called(remote)} is started")
        return remote

    def _wait(self, remote: Remote, over: frozenset[str], deadline: float = float("inf")) -> State:
        told, pause = "", SOON_S
        while True:
            state = self._target.state(remote)
            if state.word != told:
                told, pause = state.word, SOON_S
                self._tell(logging.INFO, f"{self._called(remote)} is {state.word}")
            if state.word in over or time.monotonic() + pause > deadline:
                return state
            time.sleep(pause)
            pause = min(2 * pause, LATER_S)

    def _finished(self, job: Job, remote: Remote, state: State) -> Finished:
        if found := self._outcomes.look(job.source, remote.name):
            self._outcomes.forget(job.source, remote.name)
            return _finished(found)
        # It may have been killed at any place, and a start that fails for good does so again.
        says = f", which says: {state.says}" if state.says else ""
        reason = f"it left no outcome; {self._called(remote)} is {state.word}{says}"
        return Finished(EXIT_TRY_AGAIN, {}, reason)

    def _called(self, remote: Remote) -> str:
        return f"{self._target.label} {remote.id} ({remote.name})"


def _finished(outcome: Outcome) -> Finished:
    return Finished(outcome.code, outcome.summary, outcome.reason or f"it ended with exit code {outcome.code}")
