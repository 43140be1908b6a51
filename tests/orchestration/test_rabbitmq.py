"""Celery workers behind a real RabbitMQ: they hear what they are told, and what may happen to a queue loses no task."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery import Celery
from kombu.connection import Connection

from tests.orchestration.airflow_services import Platform, wait_for
from tests.orchestration.test_faults import Runs, kill
from tests.orchestration.test_queue import behind

pytestmark = [
    pytest.mark.slow,
    pytest.mark.drawn(2, among="queues"),
    pytest.mark.integration,
    pytest.mark.timeout(1200),
]
IMAGES, OURS = ("rabbitmq:4", "rabbitmq:3"), "tidemark-rabbitmq:test"


def docker(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Broker:
    """A container, and its address on this host."""

    container: str
    url: str

    def is_there(self) -> bool:
        try:
            with Connection(self.url, connect_timeout=5) as connection:
                return bool(connection.connect())
        except OSError:
            return False


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Run one of the official images, or one that Debian's packages make."""
    try:
        known = next((image for image in IMAGES if docker("image", "inspect", image).returncode == 0), OURS)
    except FileNotFoundError:
        pytest.skip("there is no Docker here")
    if known == OURS:
        built = docker("build", "--quiet", "--tag", OURS, str(Path(__file__).with_name("rabbitmq")))
        if built.returncode:
            pytest.skip(f"none of {IMAGES} is here, and none can be made: {built.stderr}")
    container = docker("run", "--detach", "--rm", "--publish", "127.0.0.1::5672", known).stdout.strip()
    port = docker("port", container, "5672").stdout.splitlines()[0].strip()
    made = Broker(container, f"amqp://guest:guest@{port}//")
    try:
        wait_for(made.is_there, lambda: docker("logs", container).stdout[-3000:])
        yield made
    finally:
        docker("rm", "--force", container)


@pytest.fixture(scope="module")
def queued(platform: Platform, broker: Broker) -> Iterator[Platform]:
    with behind(platform, {"AIRFLOW__CELERY__BROKER_URL": broker.url}, remote_control=True) as made:
        yield made


def test_a_worker_hears_what_it_is_told(queued: Platform, broker: Broker) -> None:
    """By which the scaler lets it go."""
    told = Celery(broker=broker.url).control

    assert [{"ok": "pong"}] == [answer for each in wait_for(lambda: told.ping(timeout=10)) for answer in each.values()]


def test_a_worker_that_is_killed_has_its_tasks_done_by_another(queued: Platform, tmp_path: Path) -> None:
    """RabbitMQ gives them on at once, when the worker's connection has gone."""
    runs = Runs(queued, "many", tmp_path)
    begun = [runs.begin() for _ in range(2)]
    runs.wait_for("begin", 2)

    kill(queued, "worker")
    queued.start("worker")

    runs.wait_for("begin", 4)
    runs.end_well(*begun)


def test_a_broker_that_is_away_loses_no_task(queued: Platform, broker: Broker, tmp_path: Path) -> None:
    runs = Runs(queued, "many", tmp_path)
    assert 0 == docker("pause", broker.container).returncode
    try:
        begun = [runs.begin(wait=False) for _ in range(3)]
        time.sleep(20)
        assert 0 == runs.left("begin").total()
    finally:
        docker("unpause", broker.container)

    runs.end_well(*begun)
