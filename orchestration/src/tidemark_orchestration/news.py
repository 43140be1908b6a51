"""A guard's news: what it finds is told when it changes and again after some hours, not at every run."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from airflow.sdk.exceptions import AirflowException

from tidemark_contract.argv import Job
from tidemark_contract.errors import SettingsError
from tidemark_orchestration.launchers.launcher import Finished
from tidemark_orchestration.notify import on_failure, tell
from tidemark_orchestration.operators import JobOperator, at_once

AGAIN = "TIDEMARK_TELL_AGAIN_HOURS"
_DEFAULT_H = 6
_KEY = "told"


@dataclass(frozen=True)
class Told:
    """What was told to be wrong, nothing when all was well again; and when, in seconds since 1970."""

    wrong: Sequence[str]
    at: float


def is_news(wrong: Sequence[str], before: Told | None, again_s: float, now: float) -> bool:
    """Tell whether somebody has to hear of it."""
    before = before or Told((), now)
    is_another = set(wrong) != set(before.wrong)
    return is_another or (bool(wrong) and now - before.at >= again_s)


def again_after_s(environment: Mapping[str, str]) -> float:
    """Read after how long the same is told again."""
    text = environment.get(AGAIN) or str(_DEFAULT_H)
    if not (text.isascii() and text.isdigit() and int(text)):
        raise SettingsError(f"{AGAIN} is {text!r}: write a whole number of hours above 0")
    return int(text) * 3600.0


class GuardOperator(JobOperator):
    """Runs a guard, and fails as long as something is wrong; who has to know hears of what is new.

    What was told last lies among Airflow's results, where any worker finds it. A failure that Airflow itself ends the
    task with is told each time.
    """

    again_s = 0.0
    wrong: Sequence[str] | None = None
    """The limits that are exceeded, or the reason of a failure; None while nobody has looked."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(on_failure_callback=[tell_what_is_wrong], on_success_callback=[tell_what_is_over], **facts)

    def execute(self, context: Any) -> dict[str, Any]:
        """Give the guard's summary."""
        return self._judged(partial(super().execute, context))

    def go_on(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Give that of one that ran elsewhere."""
        return self._judged(partial(super().go_on, context, event))

    def _judged(self, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with at_once():
            self.again_s = again_after_s(os.environ)
        try:
            summary = look()
        except AirflowException as error:
            self.wrong = self.wrong or [str(error)]
            raise
        # What was down is behind: the next look judges it.
        self.wrong = [] if summary.get("did") == "nothing" else None
        return summary

    def _concluded(self, job: Job, done: Finished, context: Any) -> dict[str, Any]:
        """The text of what is beyond a limit is another one each time, by its numbers."""
        self.wrong = done.summary.get("beyond")
        return super()._concluded(job, done, context)


def tell_what_is_wrong(context: Any) -> None:
    """Tell every place of a guard's failure, unless it was told lately."""
    ti = context["ti"]
    if ti.task.wrong and not _is_new(ti):
        ti.task.log.info("told before; again %g hours after that (%s)", ti.task.again_s / 3600, AGAIN)
        return
    for notifier in on_failure():
        notifier(context)
    if ti.task.wrong:
        _remember(ti)


def tell_what_is_over(context: Any) -> None:
    """Tell every place that what was wrong is so no more."""
    ti = context["ti"]
    if ti.task.wrong is not None and _is_new(ti):
        tell(f"{ti.dag_id}: all is well again", "What was told before is over.")
        _remember(ti)


def _is_new(ti: Any) -> bool:
    # By their own time: Airflow takes a run that was begun by hand for the newest of all.
    found = ti.xcom_pull(task_ids=[ti.task_id], key=_KEY, include_prior_dates=True)
    before = max((Told(**each) for each in found if each), key=lambda told: told.at, default=None)
    return is_news(ti.task.wrong, before, ti.task.again_s, _now())


def _remember(ti: Any) -> None:
    """After it was told: what could not be told is tried again at the next run."""
    ti.xcom_push(_KEY, asdict(Told(list(ti.task.wrong), _now())))


def _now() -> float:
    return time.time()
