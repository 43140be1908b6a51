"""Waiting for a job that runs elsewhere: in the triggerer, where ten thousand can wait and no worker is held up."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from tidemark_contract.errors import EXIT_TRY_AGAIN, TidemarkError
from tidemark_orchestration.launchers import remote_target
from tidemark_orchestration.launchers.launcher import Finished
from tidemark_orchestration.launchers.target import Remote, State
from tidemark_orchestration.launchers.watched import Watched

# A task that a person ends waits 30 s for it, [triggerer] on_kill_timeout.
_GRACE_S = 20.0


class JobTrigger(BaseTrigger):
    """Waits for a job's end, and ends the job when a person ends its task, or at a deadline (seconds since 1970).

    The triggerer needs the settings of the launcher, and may do what a worker may with its jobs: look, and end.
    """

    def __init__(self, id: str, name: str, deadline: float | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.remote = Remote(id, name)
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Say how it is made again, in another triggerer."""
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", {**self.remote._asdict(), "deadline": self.deadline}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Give one event, which `read_event` reads."""
        try:
            found = await self._wait()
        except TidemarkError as error:
            # The job may go on: the next try waits for it.
            found = {"code": error.exit_code, "reason": f"{self.remote.name} cannot be looked at: {error}"}
        yield TriggerEvent({**self.remote._asdict(), **found})

    async def on_kill(self) -> None:
        """End the job: its task was ended, or cleared."""
        await asyncio.to_thread(self._watched().end, _GRACE_S)

    async def _wait(self) -> dict[str, Any]:
        watched = self._watched()
        looks = watched.looks()
        while pause := await asyncio.to_thread(_next, looks):
            if isinstance(pause, State):
                return {"state": list(pause)}
            if self.deadline and time.time() > self.deadline:
                await asyncio.to_thread(watched.end, _GRACE_S)
                return {"code": EXIT_TRY_AGAIN, "reason": f"{watched} took longer than the task may, and was ended"}
            await asyncio.sleep(pause)
        raise AssertionError("a pause is longer than nothing")

    def _watched(self) -> Watched:
        return Watched(remote_target(), self.remote, self.log.log)


def _next(looks: Any) -> float | State:
    """Look once; a StopIteration cannot leave a thread."""
    try:
        return float(next(looks))
    except StopIteration as over:
        return State(*over.value)


def read_event(event: Mapping[str, Any]) -> tuple[Remote, State | Finished]:
    """Give the job, and what it is when it is over, or why nobody waits for it any more."""
    remote = Remote(event["id"], event["name"])
    if "state" in event:
        return remote, State(*event["state"])
    return remote, Finished(event["code"], {}, event["reason"])
