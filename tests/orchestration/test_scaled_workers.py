"""Celery workers, started and let go as there is work for them, on a real Redis: from none to many, to none again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tidemark_orchestration.scaler.__main__ import counted
from tidemark_orchestration.scaler.celery_workers import CeleryWorkers
from tidemark_orchestration.scaler.loop import Scaler
from tidemark_orchestration.scaler.plan import Bounds, Steps
from tidemark_orchestration.scaler.work import Work

REDIS = ("redis:7.2", "redis:7")
REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 500.0
pytestmark = [pytest.mark.slow, pytest.mark.integration]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """Run Redis in a container."""
    for image in REDIS:
        words = ["docker", "run", "--detach", "--rm", "--pull", "never", "--publish", "127.0.0.1::6379", image]
        try:
            started = subprocess.run(words, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no Docker here")
        if started.returncode == 0:
            break
    else:
        pytest.skip(f"Docker has none of {REDIS}: {started.stderr}")
    container = started.stdout.strip()
    try:
        port = subprocess.run(["docker", "port", container, "6379"], capture_output=True, text=True, check=True).stdout
        url = f"redis://{port.splitlines()[0].strip()}/0"
        wait_until_there(url)
        yield url
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=True)


def wait_until_there(url: str) -> None:
    """A container's port is open before who listens behind it is there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with Redis.from_url(url) as client:
                client.ping()
                return
        except RedisError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)


class Processes:
    """Workers as processes of this machine."""

    def __init__(self, broker: str, folder: Path) -> None:
        self._environment = {**os.environ, "SCALED_BROKER": broker, "PYTHONPATH": str(REPOSITORY)}
        self._log = folder / "workers.log"
        self.all: list[subprocess.Popen[bytes]] = []

    def count(self) -> int:
        return sum(process.poll() is None for process in self.all)

    def start(self, number: int) -> None:
        for _ in range(number):
            name = f"w{len(self.all)}@test"
            words = ["-m", "celery", "--app", "tests.orchestration.celery_app", "worker", "--concurrency", "2"]
            with self._log.open("ab") as log:
                self.all.append(
                    subprocess.Popen(
                        [sys.executable, *words, "--hostname", name, "--queues", "default"],
                        env=self._environment,
                        stdout=log,
                        stderr=log,
                    )
                )

    def end(self) -> None:
        for process in self.all:
            process.kill()
            process.wait()


@pytest.fixture
def fleet(broker: str, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(broker, tmp_path)
    yield made
    made.end()


def done(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_from_none_to_many_and_to_none_again_no_task_is_lost_or_done_twice(
    broker: str, fleet: Processes, tmp_path: Path
) -> None:
    from tests.orchestration.celery_app import app

    app.conf.broker_url = broker
    file, seen, sent = tmp_path / "done", set[int](), 0
    control = CeleryWorkers(app, "default", timeout_s=2.0)
    scaler = Scaler(lambda: sent - len(done(file)), control, fleet, Bounds(2, 0, 3), patience_s=3.0)

    def send(seconds: list[float]) -> int:
        for one in seconds:
            app.send_task("work", (one, str(file)))
        return len(seconds)

    assert Steps() == scaler.look(), "no work, no workers"
    sent += send([1.0] * 8 + [12.0])  # the last holds one worker back while the others go
    drained, deadline = 0, time.monotonic() + PATIENCE_S
    while fleet.count() or len(done(file)) < sent:
        assert time.monotonic() < deadline, (tmp_path / "workers.log").read_text()[-3000:]
        steps = scaler.look()
        drained += len(steps.drain)
        seen.add(fleet.count())
        if sent == 9 and steps.drain:
            sent += send([0.5] * 2)  # while they are let go
        time.sleep(0.5)
    seen.add(fleet.count())

    assert (11, 11) == (sent, len(done(file)))
    assert {0, 3} <= seen <= {0, 1, 2, 3}
    assert drained >= 3
    assert {0} == {process.returncode for process in fleet.all}, "each ended by itself"


def test_what_there_is_to_do_is_counted_while_the_pages_are_asleep(
    broker: str, fleet: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tasks that nobody has taken, that a worker has taken, and none."""
    from tests.orchestration.celery_app import app

    app.conf.broker_url = broker
    file, until, control = tmp_path / "done", tmp_path / "until", CeleryWorkers(app, "default", timeout_s=2.0)
    nobody = Work("http://127.0.0.1:1", "scaler", "a password")
    assert 0 == counted(nobody, control)
    assert "Connection refused" in json.loads(capsys.readouterr().out)["error"]

    for _ in range(4):
        app.send_task("wait", (str(until), str(file)))
    assert 4 == counted(nobody, control)

    def wait_for(true: Callable[[], bool]) -> None:
        """Ask again: a worker that is not quick enough to answer has nothing."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, (tmp_path / "workers.log").read_text()[-3000:]
            time.sleep(0.2)

    fleet.start(1)
    wait_for(lambda: 2 == sum(control.look(1).serving.values()))
    wait_for(lambda: 4 == counted(nobody, control))
    until.touch()
    wait_for(lambda: 4 == len(done(file)))
    wait_for(lambda: 0 == counted(nobody, control))
