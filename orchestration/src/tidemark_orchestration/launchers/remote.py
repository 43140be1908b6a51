"""A job that runs elsewhere: started once, found again, ended; its outcome lies in the lake.

Nothing is kept on the worker. A try first looks for the job of an earlier one: what runs is waited for, what was being
ended is let end, and what has ended well, unseen, counts.
"""

import logging
from collections.abc import Mapping

from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN
from tidemark_contract.outcome import Outcome
from tidemark_orchestration.launchers.launcher import GRACE_S, Finished
from tidemark_orchestration.launchers.outcomes import Outcomes
from tidemark_orchestration.launchers.target import Remote, State, Target
from tidemark_orchestration.launchers.watched import Watched
from tidemark_orchestration.launchers.work import Work
from tidemark_orchestration.words import Tell


class RemoteLauncher:
    """Begins the job of one task on a target, and tells how it has ended; between the two, nobody need be there."""

    def __init__(self, target: Target, work: Work, tell: Tell, environment: Mapping[str, str]) -> None:
        self._target, self._work, self._tell = target, work, tell
        self._outcomes = Outcomes.read(environment)
        self._watched: Watched | None = None
        self._unwanted = False

    def run(self, job: Job) -> Finished | Remote:
        """Give the task's job, which is started unless it runs already, or how it has ended when nobody looked."""
        if seen := self._seen(job):
            return seen
        self._watched = self._adopted() or self._started(job)
        if self._unwanted:  # since before it had an id
            self.end()
        return self._watched.remote

    def end(self, grace_s: float = GRACE_S) -> None:
        """End the job, if there is one."""
        self._unwanted = True
        if self._watched:
            self._watched.end(grace_s)

    def finished(self, job: Job, remote: Remote, state: State) -> Finished:
        """Tell how a job that is over has ended."""
        if found := self._outcomes.look(job.source, remote.name):
            self._outcomes.forget(job.source, remote.name)
            return _finished(found)
        # It may have been killed at any place, and a start that fails for good does so again.
        says = f", which says: {state.says}" if state.says else ""
        reason = f"it left no outcome; {self._watch(remote)} is {state.word}{says}"
        return Finished(EXIT_TRY_AGAIN, {}, reason)

    def _seen(self, job: Job) -> Finished | None:
        """Take what an earlier try, or this one begun before, has left when nobody looked."""
        for name in (*self._work.before, self._work.name):
            found = self._outcomes.look(job.source, name)
            if found and (found.code == EXIT_OK or name == self._work.name):
                self._outcomes.forget(job.source, name)
                self._tell(logging.INFO, f"{name} has ended while nobody looked: its outcome is taken")
                return _finished(found)
        return None

    def _adopted(self) -> Watched | None:
        """Find the job of an earlier try that still runs; one that is being ended is no use, but has to be gone."""
        while remote := self._target.find(self._work.owns):
            found = self._watch(remote)
            if self._target.state(remote).word in self._target.ending:
                found.wait()
                continue
            self._tell(logging.INFO, f"{found} runs already: it is waited for")
            return found
        return None

    def _started(self, job: Job) -> Watched:
        outcome = self._outcomes.address(job.source, self._work.name)
        started = self._watch(self._target.start(self._work.name, job, outcome, self._work))
        self._tell(logging.INFO, f"{started} is started")
        return started

    def _watch(self, remote: Remote) -> Watched:
        return Watched(self._target, remote, self._tell)


def _finished(outcome: Outcome) -> Finished:
    return Finished(outcome.code, outcome.summary, outcome.reason or f"it ended with exit code {outcome.code}")
