"""The number of Celery workers: its plan for any work and any workers, and ECS as moto plays it."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import boto3
import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st

from tests.orchestration.test_bundles import server, settings
from tidemark_contract.errors import SettingsError
from tidemark_orchestration.scaler import __main__ as command
from tidemark_orchestration.scaler.celery_workers import CeleryWorkers
from tidemark_orchestration.scaler.ecs import EcsFleet
from tidemark_orchestration.scaler.loop import Scaler
from tidemark_orchestration.scaler.plan import Bounds, Steps, Workers, plan

__all__ = ["server"]
some_bounds = st.builds(
    lambda concurrency, least, more: Bounds(concurrency, least, least + more),
    st.integers(1, 8),
    st.integers(0, 3),
    st.integers(0, 6),
)
some_workers = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.tuples(st.booleans(), st.integers(0, 4)))


@given(some_bounds, st.integers(0, 100))
def test_there_is_room_for_all_tasks_and_for_a_worker_less_there_is_not(bounds: Bounds, tasks: int) -> None:
    wanted = bounds.wanted(tasks)

    assert bounds.least <= wanted <= bounds.most
    assert wanted == bounds.most or wanted * bounds.concurrency >= tasks
    assert wanted == bounds.least or (wanted - 1) * bounds.concurrency < tasks


@given(some_bounds, st.integers(0, 100), some_workers, st.integers(0, 5))
def test_none_that_has_a_task_is_ended_and_there_are_never_too_many(
    bounds: Bounds, tasks: int, found: dict[str, tuple[bool, int]], starting: int
) -> None:
    serving = {name: has for name, (serves, has) in found.items() if serves}
    draining = {name: has for name, (serves, has) in found.items() if not serves}

    steps = plan(bounds, tasks, Workers(serving, draining, starting))

    assert [] == [name for name in steps.end if draining[name] or name in steps.enlist]
    assert set(steps.drain) <= serving.keys()
    assert set(steps.enlist) <= draining.keys()
    assert not (steps.drain and (steps.start or steps.enlist))
    assert steps.start == 0 or steps.start + starting + len(found) <= bounds.most
    kept = [has for name, has in serving.items() if name not in steps.drain]
    assert all(serving[name] <= has for name in steps.drain for has in kept), "the idlest go"


@dataclass
class Simulated:
    """Workers that do as they are told, and tasks that end when they are let."""

    tasks: int = 0
    has: dict[str, int] = field(default_factory=dict)
    serves: set[str] = field(default_factory=set)
    lost: int = 0
    started: int = 0

    def count(self) -> int:
        return len(self.has)

    def start(self, number: int) -> None:
        for _ in range(number):
            self.started += 1
            self.has[f"w{self.started}"] = 0
            self.serves.add(f"w{self.started}")

    def look(self, asked_for: int) -> Workers:
        serving = {name: has for name, has in self.has.items() if name in self.serves}
        draining = {name: has for name, has in self.has.items() if name not in self.serves}
        return Workers(serving, draining, asked_for - len(self.has))

    def tell(self, steps: Steps) -> None:
        self.serves = self.serves - set(steps.drain) | set(steps.enlist)
        for name in steps.end:
            self.lost += self.has.pop(name)

    def take(self, concurrency: int) -> None:
        for name in self.serves:
            taken = min(self.tasks - sum(self.has.values()), concurrency - self.has[name])
            self.has[name] += max(0, taken)

    def end(self, number: int) -> None:
        for name, has in self.has.items():
            ended = min(has, number)
            self.has[name], self.tasks, number = has - ended, self.tasks - ended, number - ended


@given(some_bounds, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_whatever_comes_nothing_is_lost_and_in_the_end_all_is_done(
    bounds: Bounds, course: list[tuple[int, int]]
) -> None:
    world = Simulated()
    scaler = Scaler(lambda: world.tasks, world, world, bounds, patience_s=0, clock=lambda: 0)
    for coming, ending in course:
        world.tasks += coming
        scaler._seen.clear()
        scaler.look()
        world.take(bounds.concurrency)
        world.end(ending)
        assert len(world.has) <= bounds.most
    if not bounds.most:
        return
    for _ in range(200):
        scaler._seen.clear()
        scaler.look()
        world.take(bounds.concurrency)
        world.end(3)
    assert (0, 0, bounds.least) == (world.lost, world.tasks, len(world.has))


def test_there_are_fewer_only_after_a_while_of_less_work() -> None:
    world, now = Simulated(), [0.0]
    scaler = Scaler(lambda: world.tasks, world, world, Bounds(2, 0, 9), patience_s=60, clock=lambda: now[0])
    world.tasks = 8
    assert 4 == scaler.look().start

    world.tasks = 2
    for now[0] in (30.0, 60.0):
        assert Steps() == scaler.look()
    now[0] = 61.0
    assert 3 == len(scaler.look().drain)
    world.tasks = 6
    assert 2 == len(scaler.look().enlist), "quicker than new ones"


def test_one_that_does_not_answer_is_not_started_again() -> None:
    assert Steps() == plan(Bounds(1, 0, 9), 3, Workers({"a": 1}, {}, starting=2))


def test_sqs_cannot_be_drained_and_is_refused() -> None:
    app = SimpleNamespace(conf=SimpleNamespace(broker_url="sqs://"))

    with pytest.raises(SettingsError, match="no remote control"):
        CeleryWorkers(app, "default")


def test_workers_are_tasks_of_ecs(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings(server).items():
        monkeypatch.setenv(name, value)
    ecs, ec2 = boto3.client("ecs"), boto3.client("ec2")
    ecs.create_cluster(clusterName="airflow")
    container = {"name": "worker", "image": "airflow", "memory": 512}
    ecs.register_task_definition(
        family="worker",
        containerDefinitions=[container],
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
    )
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    fleet = EcsFleet(ecs, "airflow", "worker", [subnet], [group])

    fleet.start(13)

    assert 13 == fleet.count()
    ended = ecs.list_tasks(cluster="airflow", startedBy=fleet.name)["taskArns"][0]
    ecs.stop_task(cluster="airflow", task=ended)
    assert 12 == fleet.count()
    assert 0 == EcsFleet(ecs, "airflow", "worker", [subnet], [group], name="another").count()


def test_a_password_that_is_missing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--airflow", "http://a", "--cluster", "c", "--definition", "d", "--subnets", "s", "--security-groups", "g"]

    assert 78 == command.main(words, {})
    assert "TIDEMARK_SCALER_PASSWORD_FILE has to name a file" in capsys.readouterr().err


def test_a_broker_that_is_away_is_told_and_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    world = Simulated(tasks=5)
    workers = CeleryWorkers(Celery("away", broker="redis://127.0.0.1:1/0"), "default", timeout_s=0.1)

    command._look(Scaler(lambda: world.tasks, workers, world, Bounds(1, 0, 9), patience_s=0))

    assert "Connection refused" in json.loads(capsys.readouterr().out)["error"]
    assert 0 == world.started
