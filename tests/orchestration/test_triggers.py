"""Whoever waits for a job in a triggerer tells of its end, and ends it when nobody wants it."""

import asyncio
import time
from datetime import timedelta

import pytest

from tests.orchestration.amazon import Amazon, wait_for
from tests.orchestration.test_remote import MARK, SYNC, Task, amazon, finish, task  # noqa: F401
from tidemark_contract.outcome import Outcome
from tidemark_orchestration.launchers.launcher import Finished
from tidemark_orchestration.launchers.target import Remote, State
from tidemark_orchestration.operators import JobOperator
from tidemark_orchestration.triggers import JobTrigger, read_event


@pytest.fixture
def trigger(task: Task, monkeypatch: pytest.MonkeyPatch) -> JobTrigger:  # noqa: F811
    """A trigger of a job that was just started, made again as a triggerer makes it."""
    for name, value in task.environment.items():
        monkeypatch.setenv(name, value)
    started = task.launcher().run(SYNC)
    assert isinstance(started, Remote)
    return again(JobTrigger(*started, deadline=time.time() + 3600))


def again(trigger: JobTrigger) -> JobTrigger:
    path, facts = trigger.serialize()
    assert f"{JobTrigger.__module__}.JobTrigger" == path
    return JobTrigger(**facts)


async def event(trigger: JobTrigger) -> tuple[Remote, State | Finished]:
    return read_event((await anext(aiter(trigger.run()))).payload)


async def waiting(trigger: JobTrigger) -> "asyncio.Task[tuple[Remote, State | Finished]]":
    begun = asyncio.create_task(event(trigger))
    await asyncio.sleep(0.5)
    assert not begun.done()
    return begun


def test_the_end_of_a_job_is_told_and_its_outcome_left_for_the_task(
    amazon: Amazon,  # noqa: F811
    task: Task,  # noqa: F811
    trigger: JobTrigger,
) -> None:
    async def wait() -> tuple[Remote, State | Finished]:
        begun = await waiting(trigger)
        await asyncio.to_thread(finish, amazon, task.runs[0], Outcome(0, MARK))
        return await begun

    remote, over = asyncio.run(wait())

    assert isinstance(over, State)
    assert (trigger.remote, task.runs[0].good) == (remote, over.word)
    assert MARK == task.launcher().finished(SYNC, remote, over).summary


def test_a_triggerer_that_goes_ends_no_job(task: Task, trigger: JobTrigger) -> None:  # noqa: F811
    async def go() -> None:
        begun = await waiting(trigger)
        begun.cancel()
        await trigger.cleanup()
        await waiting(again(trigger))

    asyncio.run(go())

    assert [False] == [run.is_ending() for run in task.runs]


def test_who_ends_the_task_ends_its_job(task: Task, trigger: JobTrigger) -> None:  # noqa: F811
    async def end() -> None:
        ending = asyncio.create_task(trigger.on_kill())
        await asyncio.to_thread(wait_for, task.runs[0].is_ending, "the wish")
        task.runs[0].tell(task.runs[0].cancelled)
        await ending

    asyncio.run(end())


def test_a_job_that_takes_too_long_is_ended(task: Task, trigger: JobTrigger) -> None:  # noqa: F811
    trigger.deadline = time.time() + 0.2

    async def end() -> tuple[Remote, State | Finished]:
        begun = asyncio.create_task(event(trigger))
        await asyncio.to_thread(wait_for, task.runs[0].is_ending, "the wish")
        task.runs[0].tell(task.runs[0].cancelled)
        return await begun

    _, over = asyncio.run(end())

    assert isinstance(over, Finished)
    assert 75 == over.code
    assert "took longer than the task may, and was ended" in over.reason


def test_a_job_that_may_not_be_looked_at_is_for_a_person_and_goes_on(
    task: Task,  # noqa: F811
    trigger: JobTrigger,
) -> None:
    with task.service.failing("look", "AccessDeniedException", 403, times=1):
        _, over = asyncio.run(event(trigger))

    assert isinstance(over, Finished)
    assert 78 == over.code
    assert "AccessDenied" in over.reason
    assert not task.runs[0].is_ending()


def test_no_worker_is_held_up(task: Task, trigger: JobTrigger, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The task gives up its place as soon as its job runs, with a deadline of its own: Airflow's would end no job."""
    from airflow.sdk.exceptions import TaskDeferred

    operator = JobOperator(task_id="sync", job=SYNC, execution_timeout=timedelta(hours=1))
    monkeypatch.setattr(operator, "_launch", lambda job, context: task.launcher())

    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})

    waiter = deferred.value.trigger
    assert (trigger.remote, "go_on", None) == (waiter.remote, deferred.value.method_name, deferred.value.timeout)
    assert 3500 < waiter.deadline - time.time() <= 3600
    assert 1 == len(task.runs)
