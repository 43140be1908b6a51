"""A job on AWS is started once, found again, waited for and ended; moto's server stands for AWS, and runs nothing."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.orchestration import amazon as aws
from tests.orchestration.amazon import Amazon, wait_for
from tests.orchestration.emr_services import SERVICES, Run, Service
from tests.present import present
from tests.variants import drawn
from tidemark_contract.argv import GUARD, Job
from tidemark_contract.errors import ConfigurationError, PlatformRefused, PlatformUnavailable, SettingsError
from tidemark_contract.outcome import Outcome
from tidemark_orchestration.launchers import launcher_for, outcomes, watched
from tidemark_orchestration.launchers.aws import ONCE
from tidemark_orchestration.launchers.launcher import Finished
from tidemark_orchestration.launchers.local import LocalLauncher
from tidemark_orchestration.launchers.remote import RemoteLauncher
from tidemark_orchestration.launchers.work import Work

SYNC = Job("sync", "shop", tables=("public.orders", 'a."B c"'))
KEY = "tidemark-sync-0123456789abcdef"
MARK = {"mark": 7, "published": ["public.orders"]}


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with aws.made() as made:
        yield made


@dataclass
class Task:
    """A task whose job runs on a service."""

    service: Service
    environment: dict[str, str]
    heard: list[tuple[int, str]] = field(default_factory=list)

    def launcher(self, number: int = 1, first: int = 1, **settings: str) -> RemoteLauncher:
        work = Work(KEY, number, first, timedelta(hours=1))
        tell = lambda level, line: self.heard.append((level, line))  # noqa: E731
        made = launcher_for(SYNC, lambda: work, tell, self.environment | settings)
        assert isinstance(made, RemoteLauncher)
        return made

    def start(self, number: int = 1) -> Run:
        """Begin a try, and no more of it: its worker dies when the job is started."""
        self.launcher(number)._started(SYNC)
        return self.runs[-1]

    @property
    def runs(self) -> list[Run]:
        return self.service.runs()

    def said(self, level: int = logging.INFO) -> str:
        return "\n".join(line for said, line in self.heard if said >= level)


@pytest.fixture(params=drawn(SERVICES), ids=lambda service: type(service).__name__)
def task(request: pytest.FixtureRequest, amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setattr(watched, "SOON_S", 0.05)
    monkeypatch.setattr(watched, "LATER_S", 0.1)
    settings = {
        **amazon.environment,
        "TIDEMARK_LAUNCHER": request.param.name,
        "TIDEMARK_LAKE": f"s3://{aws.BUCKET}/{amazon.fresh()}",
        "TIDEMARK_SPARK_ENTRY": "s3://code/main.py",
        "TIDEMARK_SPARK_SPECS": "./specs",
        "TIDEMARK_SPARK_SECRETS": aws.SECRET,
        "TIDEMARK_SOURCE_SHOP_URL": "postgresql://capture:word@db/shop",
        **request.param.make(amazon),
    }
    return Task(request.param, settings)


def tried(launcher: RemoteLauncher) -> Finished:
    """Run a try to its end, waiting here."""
    found = launcher.run(SYNC)
    return found if isinstance(found, Finished) else launcher.finished(SYNC, found, launcher._watch(found).wait())


class Running:
    """A try that runs in a thread of its own, as Airflow's in a process and a triggerer."""

    def __init__(self, launcher: RemoteLauncher) -> None:
        self._thread = threading.Thread(target=self._run, args=(launcher,), daemon=True)
        self._ended: list[Finished | Exception] = []
        self._thread.start()

    def _run(self, launcher: RemoteLauncher) -> None:
        try:
            self._ended.append(tried(launcher))
        except Exception as error:
            self._ended.append(error)

    def waits(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> Finished:
        self._thread.join(aws.PATIENCE_S)
        [ended] = self._ended
        if isinstance(ended, Exception):
            raise ended
        return ended


def finish(amazon: Amazon, run: Run, outcome: Outcome | None) -> None:
    """Let a job end as it says, or be killed."""
    if outcome:
        amazon.leave(run.address, outcome)
    run.tell(run.good if outcome and outcome.code == 0 else run.bad, "so says the test")


def test_what_a_job_leaves_comes_back_and_is_gone(amazon: Amazon, task: Task) -> None:
    trying = Running(task.launcher())
    run = wait_for(lambda: task.runs, "the start")[0]
    finish(amazon, run, Outcome(0, MARK))

    assert Finished(0, MARK, "it ended with exit code 0") == trying.end()
    assert [] == amazon.outcomes(task.environment["TIDEMARK_LAKE"])


def test_the_job_gets_its_argv_and_settings_and_no_secret(task: Task) -> None:
    run = task.start()

    assert ("s3://code/main.py", SYNC.argv()) == (run.entry, run.arguments)
    variables = run.variables
    assert (task.environment["TIDEMARK_LAKE"], "./specs") == (variables["TIDEMARK_LAKE"], variables["TIDEMARK_SPECS"])
    assert (aws.SECRET, aws.REGION) == (variables["TIDEMARK_SECRETS"], variables["AWS_REGION"])
    assert f"{KEY}-1" == run.name
    assert not any(word in str(run.words) for word in ("postgresql:", "SOURCE_SHOP", "SECRET_ACCESS", "AIRFLOW"))


def test_a_job_has_the_secret_and_the_role_of_its_source_and_workload(task: Task) -> None:
    """Where it has a role: a step of EMR has its cluster's."""
    task.environment["TIDEMARK_SPARK_SECRETS"] = "tidemark-dev/sources/{source}"
    role = next((name for name in task.environment if name.endswith("_ROLE")), None)
    if role:
        task.environment[role] = "arn:aws:iam::123456789012:role/tidemark-dev-{source}-{workload}"
    run = task.start()

    assert "tidemark-dev/sources/shop" == run.variables["TIDEMARK_SECRETS"]
    if role:
        assert "arn:aws:iam::123456789012:role/tidemark-dev-shop-mirror" == run.record.execution_role_arn


@pytest.mark.parametrize("code", [75, 78, 1])
def test_an_exit_code_and_its_reason_survive_the_way(amazon: Amazon, task: Task, code: int) -> None:
    trying = Running(task.launcher())
    run = wait_for(lambda: task.runs, "the start")[0]
    finish(amazon, run, Outcome(code, {}, "wal_level is replica"))

    assert Finished(code, {}, "wal_level is replica") == trying.end()


def test_a_job_that_was_killed_is_tried_again_with_what_the_service_says(amazon: Amazon, task: Task) -> None:
    trying = Running(task.launcher())
    run = wait_for(lambda: task.runs, "the start")[0]
    finish(amazon, run, None)

    done = trying.end()
    assert 75 == done.code
    assert run.bad in done.reason
    assert "so says the test" in done.reason


def test_the_next_try_waits_for_the_job_that_runs_and_starts_none(amazon: Amazon, task: Task) -> None:
    run = task.start(1)
    trying = Running(task.launcher(2))
    wait_for(lambda: "runs already" in task.said(), "its being found")
    finish(amazon, run, Outcome(0, MARK))

    assert MARK == trying.end().summary
    assert 1 == len(task.runs)


def test_a_job_that_has_failed_is_started_anew(amazon: Amazon, task: Task) -> None:
    finish(amazon, task.start(1), Outcome(75, {}, "the stream is down"))
    trying = Running(task.launcher(2))
    _, run = wait_for(lambda: len(task.runs) == 2 and task.runs, "the second start")
    finish(amazon, run, Outcome(0, MARK))

    assert MARK == trying.end().summary
    assert f"{KEY}-2" == run.name


def test_what_ended_well_while_nobody_looked_counts_until_the_task_is_cleared(amazon: Amazon, task: Task) -> None:
    finish(amazon, task.start(1), Outcome(0, MARK))

    assert MARK == tried(task.launcher(2)).summary
    assert 1 == len(task.runs)

    amazon.leave(task.runs[0].address, Outcome(0, MARK))
    trying = Running(task.launcher(2, first=2))
    _, run = wait_for(lambda: len(task.runs) == 2 and task.runs, "the second start")
    finish(amazon, run, Outcome(0, {"mark": 8}))
    assert {"mark": 8} == trying.end().summary


def test_another_tasks_job_is_none_of_ours(amazon: Amazon, task: Task) -> None:
    other = task.start(1)
    work = Work(KEY.replace("0", "f"), 1, 1, None)
    trying = Running(RemoteLauncher(task.launcher()._target, work, lambda level, line: None, task.environment))
    _, run = wait_for(lambda: len(task.runs) == 2 and task.runs, "the second start")
    finish(amazon, run, Outcome(0, MARK))

    assert MARK == trying.end().summary
    assert other.record.state not in (other.good, other.bad)


def test_a_try_that_begins_a_second_time_starts_nothing_a_second_time(amazon: Amazon, task: Task) -> None:
    """Its worker died, and the queue gives the same try to another."""
    run = task.start(1)
    trying = Running(task.launcher(1))
    wait_for(lambda: "runs already" in task.said(), "its being found")
    finish(amazon, run, Outcome(78, {}, "no such slot"))

    assert (78, 1) == (trying.end().code, len(task.runs))


def test_a_task_that_is_ended_ends_its_job(task: Task) -> None:
    launcher = task.launcher()
    trying = Running(launcher)
    run = wait_for(lambda: task.runs, "the start")[0]
    wait_for(lambda: " is " in task.said(), "its being waited for")
    ender = threading.Thread(target=launcher.end, args=(aws.PATIENCE_S,))
    ender.start()
    wait_for(lambda: run.is_ending(), "the wish")
    run.tell(run.cancelled)
    ender.join(aws.PATIENCE_S)

    assert 75 == trying.end().code
    assert "" == task.said(logging.WARNING)


def test_a_job_that_does_not_end_is_named_and_the_next_try_waits_for_it(amazon: Amazon, task: Task) -> None:
    run = task.start(1)
    launcher = task.launcher(2)
    Running(launcher)
    wait_for(lambda: "runs already" in task.said(), "its being found")
    launcher.end(grace_s=0.1)
    assert "was told to end" in task.said(logging.WARNING)

    trying = Running(task.launcher(3))
    wait_for(lambda: task.said().count(run.record.id) > 4, "its being waited for")
    assert trying.waits()
    assert 1 == len(task.runs)
    run.tell(run.cancelled)
    _, anew = wait_for(lambda: len(task.runs) == 2 and task.runs, "the second start")
    finish(amazon, anew, Outcome(0, MARK))
    assert MARK == trying.end().summary


def test_a_task_that_is_ended_while_its_job_is_started_ends_it_too(task: Task) -> None:
    launcher = task.launcher()
    launcher.end()
    trying = Running(launcher)
    run = wait_for(lambda: task.runs, "the start")[0]
    wait_for(run.is_ending, "the wish")
    run.tell(run.cancelled)

    assert 75 == trying.end().code


def test_an_end_that_is_refused_is_told_with_what_to_end_by_hand(task: Task) -> None:
    launcher = task.launcher()
    trying = Running(launcher)
    run = wait_for(lambda: task.runs, "the start")[0]
    wait_for(lambda: " is " in task.said(), "its being waited for")
    with task.service.failing("end", "AccessDeniedException", 400, times=1):
        launcher.end()
    run.tell(run.bad)
    trying.end()

    assert run.record.id in task.said(logging.ERROR)
    assert "end it by hand" in task.said(logging.ERROR)


def test_a_service_that_has_too_much_to_do_is_asked_again(amazon: Amazon, task: Task) -> None:
    with (
        task.service.failing("look", "ThrottlingException", 400, times=2),
        task.service.failing("find", "InternalServerException", 500, times=1),
    ):
        trying = Running(task.launcher())
        run = wait_for(lambda: task.runs, "the start")[0]
        finish(amazon, run, Outcome(0, MARK))
        assert MARK == trying.end().summary


def test_what_is_not_there_or_not_allowed_needs_a_person(task: Task) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.*(AWS refuses|is no connection)"):
        task.launcher(1, 1, **{task.service.place: "nowhere"}).run(SYNC)
    with (
        task.service.failing("start", "AccessDeniedException", 403, times=1),
        pytest.raises(PlatformRefused, match="AccessDenied"),
    ):
        task.launcher().run(SYNC)


def test_a_server_that_is_not_there_is_asked_again_later(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(outcomes, "PATIENT", ONCE)
    with pytest.raises(PlatformUnavailable, match="does not answer"):
        task.launcher().run(SYNC)


def test_settings_that_are_missing_are_named(task: Task) -> None:
    for name in (*task.service.settings, "TIDEMARK_SPARK_ENTRY", "TIDEMARK_SPARK_SPECS", "TIDEMARK_SPARK_SECRETS"):
        with pytest.raises(SettingsError, match=f"{name} is not set: "):
            task.launcher(1, 1, **{name: ""})
    with pytest.raises(SettingsError, match="TIDEMARK_LAKE is 'file:///lake': what runs elsewhere needs one there"):
        task.launcher(TIDEMARK_LAKE="file:///lake")
    with pytest.raises(SettingsError, match="TIDEMARK_SPARK_CONF has 'executor': write spark"):
        task.launcher(TIDEMARK_SPARK_CONF="spark.a=b executor")
    with pytest.raises(SettingsError, match=r"TIDEMARK_SPARK_JARS has 'a b.jar': write it without spaces"):
        task.launcher(TIDEMARK_SPARK_JARS="a b.jar")


def test_a_cluster_that_is_there_and_one_that_is_made_are_two_things(task: Task) -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_EMR_CLUSTER and TIDEMARK_EMR_CREATE are both set"):
        task.launcher(TIDEMARK_LAUNCHER="emr", TIDEMARK_EMR_CLUSTER="j-1", TIDEMARK_EMR_CREATE="emr_default")


def test_a_target_that_is_none_is_told_with_those_that_are(task: Task) -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_LAUNCHER is 'yarn': it can be local, emr-serverless"):
        task.launcher(TIDEMARK_LAUNCHER="yarn")


def test_the_guard_runs_beside_the_worker_wherever_jobs_do(task: Task) -> None:
    environment = {**task.environment, "TIDEMARK_JOBS_PYTHON": "/python"}
    made = launcher_for(Job(GUARD, "shop"), lambda: pytest.fail("no name is needed"), print, environment)
    assert isinstance(made, LocalLauncher)


def test_a_tasks_name_is_its_own_and_its_tries_count_from_where_it_was_cleared() -> None:
    @dataclass
    class Instance:
        dag_id: str = "sync_shop"
        run_id: str = "scheduled__2026-01-01T00:00:00+00:00"
        task_id: str = "sync"
        map_index: int = -1
        try_number: int = 1
        max_tries: int = 5
        task: Any = field(default_factory=lambda: type("Task", (), {"retries": 5}))

    def work(**facts: Any) -> Work:
        return Work.of(SYNC, Instance(**facts), None)

    others: list[Callable[[], Work]] = [
        lambda: work(dag_id="sync_crm"),
        lambda: work(run_id="manual__1"),
        lambda: work(task_id="copy"),
        lambda: work(map_index=0),
    ]
    assert len({work().key, *(other().key for other in others)}) == 5
    assert work().key == work(try_number=3).key
    assert (["-1", "-2"], "-3") == (
        [name[-2:] for name in work(try_number=3).before],
        work(try_number=3).name[-2:],
    )
    # Cleared after its second try, it has five more: the third is the first.
    assert [] == work(try_number=3, max_tries=7).before
    assert not work().owns(f"{work().key}0-1")
    assert not work().owns(None)


@contextmanager
def by_hand(task: Task) -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-W", "ignore", "-m", "tidemark_orchestration.launchers", *SYNC.argv()]
    environment = {**os.environ, **task.environment}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, env=environment, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: "subprocess.Popen[str]", word: str) -> None:
    """Read on until it says so."""
    heard = []
    for line in present(process.stderr):
        heard.append(line)
        if word in line:
            return
    pytest.fail(f"it ended, and did not say {word!r}: {''.join(heard)}")


@pytest.mark.parametrize("outcome", [Outcome(0, MARK), Outcome(78, {}, "wal_level is replica")])
def test_a_job_that_is_run_by_hand_ends_as_it_says(amazon: Amazon, task: Task, outcome: Outcome) -> None:
    with by_hand(task) as process:
        run = wait_for(lambda: task.runs, "the start")[0]
        finish(amazon, run, outcome)
        out, err = process.communicate(timeout=aws.PATIENCE_S)

    assert outcome.code == process.returncode, err
    assert dict(outcome.summary) == (json.loads(out) if out else {})
    assert "is started" in err
    assert outcome.reason in err


def test_a_job_that_is_run_by_hand_ends_with_who_runs_it(task: Task) -> None:
    with by_hand(task) as process:
        hear(process, "is started")
        process.terminate()
        [run] = task.runs
        wait_for(run.is_ending, "its end being asked for")
        run.tell(run.cancelled)
        _, err = process.communicate(timeout=aws.PATIENCE_S)

    assert 128 + signal.SIGINT == process.returncode, err


def test_a_job_whose_start_is_not_answered_yet_ends_with_who_runs_it(task: Task) -> None:
    with by_hand(task) as process:
        with task.service.held("start"):
            wait_for(lambda: task.runs, "the start")
            process.terminate()
            hear(process, "is interrupted")
        [run] = task.runs
        wait_for(run.is_ending, "its end being asked for")
        run.tell(run.cancelled)
        _, err = process.communicate(timeout=aws.PATIENCE_S)

    assert 128 + signal.SIGINT == process.returncode, err
