"""The generated DAGs run for real: PostgreSQL, the stream, Spark, and Airflow with its own database."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from tests.orchestration.tasks import job_of
from tests.orchestration.world import World, made
from tidemark_contract.specs import load_source
from tidemark_orchestration.operators import JobOperator

# Airflow's own API server runs in our process, with the warnings of the libraries that it brings.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
Dags = dict[str, DAG]
PATIENCE_S = 300.0
_GUARD_SAYS = ("did", "stream", "slot_active")


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with made() as world, pytest.MonkeyPatch.context() as environment:
        request.getfixturevalue("database")  # made while the stack comes up
        for name, value in world.environment.items():
            environment.setenv(name, value)
        yield world


@pytest.fixture
def dags(world: World) -> Dags:
    """Parse anew for every test, which may change what it runs; what should succeed has to do so at once."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    assert {} == bag.import_errors
    for dag in bag.dags.values():
        dag.deadline = None  # dag.test() of Airflow 3.3.2 takes it for its id in the database
        for task in dag.tasks:
            task.retries = 0
    return bag.dags


@dataclass
class Ran:
    """What is left of a DAG's run: each task's state, tries and result, and each asset's event."""

    state: str
    tasks: dict[str, tuple[str, int]]
    results: dict[str, Any]
    events: dict[str, dict[str, Any]]


def run(dag: DAG, conf: dict[str, Any] | None = None) -> Ran:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    finished = dag.test(run_conf=conf)
    with create_session() as session:
        tasks = finished.get_task_instances(session=session)
        mine = (
            select(AssetEvent).options(joinedload(AssetEvent.asset)).where(AssetEvent.source_run_id == finished.run_id)
        )
        events = list(session.scalars(mine))
        assert len(events) == len({event.asset.uri for event in events}), "one event per asset"
        return Ran(
            state=str(finished.state),
            tasks={task.task_id: (str(task.state), task.try_number) for task in tasks},
            results={task.task_id: task.xcom_pull(task_ids=task.task_id, session=session) for task in tasks},
            events={event.asset.uri: event.extra for event in events},
        )


def listen(task: JobOperator) -> list[str]:
    """Keep what Airflow tells when the task is to be tried again, and when it has failed."""
    told: list[str] = []
    task.on_retry_callback = [lambda context: told.append(f"again: {context['exception']}")]
    task.on_failure_callback = [lambda context: told.append(f"failed: {context['exception']}")]
    return told


def run_sync(dag: DAG, retries: int) -> tuple[Ran, list[str]]:
    """Run it with little patience."""
    sync = job_of(dag, "sync")
    sync.job = replace(sync.job, timeout=1)
    sync.retries, sync.retry_delay, sync.retry_exponential_backoff = retries, timedelta(0), 0
    told = listen(sync)
    return run(dag), told


def test_sync_publishes_an_event_per_table_and_verify_proves_them(
    world: World, dags: Dags, capfd: pytest.CaptureFixture[str]
) -> None:
    ran, proven = run(dags["sync_shop"]), run(dags["verify_shop"])
    tables = load_source(Path(world.environment["TIDEMARK_SPECS"]) / "shop").tables

    assert ("success", {"sync": ("success", 1)}) == (ran.state, ran.tasks)
    assert {"verify": ("success", 1)} == proven.tasks
    synced, verified = ran.results["sync"], proven.results["verify"]
    assert (9, 0) == (synced["tables"], synced["out"])
    assert verified["equal"]
    assert {str(spec.table) for spec in tables} == {proof["table"] for proof in verified["tables"]}
    assert sum(proof["rows"] for proof in verified["tables"]) == synced["rows"] > 40_000
    assert verified["mark"] > synced["mark"] > 0
    said = {name: synced[name] for name in ("mark", "lsn", "taken_at")}
    assert {f"tidemark://silver/shop/public.{spec.table.table}": said for spec in tables} == ran.events
    assert "snapshot_held mark=" in capfd.readouterr().out, "what the job says is in the task's log"


def test_a_gold_dag_builds_its_mart_from_one_mark(world: World, dags: Dags) -> None:
    ran = run(dags["gold_shop_pricing_summary"])

    assert {"gold": ("success", 1)} == ran.tasks
    built, mart = ran.results["gold"], world.mart("pricing_summary")
    assert (built["mark"], 4) == (mart["mark"], mart["rows"])
    said = {name: built[name] for name in ("mark", "lsn", "taken_at")}
    assert {"tidemark://gold/shop/pricing_summary": said} == ran.events


def test_a_backfill_swaps_the_marts_of_its_form_and_says_so(world: World, dags: Dags) -> None:
    form = {"marts": ["pricing_summary"], "mark": None, "reason": "it was built wrongly"}
    ran = run(dags["backfill_gold_shop"], form)

    assert {"backfill": ("success", 1)} == ran.tasks
    done, mart = ran.results["backfill"], world.mart("pricing_summary")
    assert (done["mark"], 4) == (mart["mark"], mart["rows"])
    assert {"pricing_summary": 1} == done["marts"], "the version after the one that gold has made"
    said = {name: done[name] for name in ("mark", "lsn", "taken_at")}
    assert {"tidemark://gold/shop/pricing_summary": said} == ran.events


def test_a_task_that_is_ended_ends_its_job_and_spark_with_it(dags: Dags) -> None:
    """Airflow ends a task by SIGTERM, which here, where the task runs in our process, is a signal to ourselves."""
    dag = dags["gold_shop_shipping_priority"]
    told = listen(job_of(dag, "gold"))
    before = signal.getsignal(signal.SIGTERM)
    group: list[int] = []

    def end_it() -> None:
        group.extend(wait_for(lambda: with_java(children_groups())))
        os.kill(os.getpid(), signal.SIGTERM)

    ender = threading.Thread(target=end_it)
    ender.start()
    try:
        ran = run(dag)
    finally:
        ender.join(PATIENCE_S)
        signal.signal(signal.SIGTERM, before)

    assert {"gold": ("failed", 1)} == ran.tasks
    assert ["failed: gold of shop: it was ended by SIGTERM"] == told
    wait_for(lambda: not processes(group[0]))


def test_what_needs_a_person_fails_at_once(dags: Dags, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_URL", os.environ["TIDEMARK_SOURCE_SHOP_URL"].replace("@", "-wrong@"))
    ran, told = run_sync(dags["sync_shop"], retries=3)

    assert {"sync": ("failed", 1)} == ran.tasks
    assert {} == ran.events
    assert ["failed: "] == [words[:8] for words in told]
    assert "password authentication failed" in told[0]


def test_a_stream_that_is_down_is_waited_for_by_trying_again(world: World, dags: Dags) -> None:
    world.do("stop stream")
    ran, told = run_sync(dags["sync_shop"], retries=1)

    assert {"sync": ("failed", 2)} == ran.tasks
    assert ["again: sync of shop: mark ", "failed: sync of shop: mark"] == [words[:26] for words in told]
    assert all("is the stream running?" in words for words in told)


def test_the_guard_brings_a_stream_back_that_was_killed(dags: Dags) -> None:
    """The one of the test before. What it starts outlives its task."""
    ran, again = run(dags["guard_shop"]), run(dags["guard_shop"])

    assert ({"guard": ("success", 1)}, {"guard": ("success", 1)}) == (ran.tasks, again.tasks)
    assert ("restarted", "running", True) == tuple(ran.results["guard"][name] for name in _GUARD_SAYS)
    assert ("nothing", "running", True) == tuple(again.results["guard"][name] for name in _GUARD_SAYS)


def test_what_a_guard_has_to_tell_is_the_reason_of_its_task(dags: Dags, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_LIMIT_XMIN_AGE", "none")
    told = listen(job_of(dags["guard_shop"], "guard"))

    assert {"guard": ("failed", 1)} == run(dags["guard_shop"]).tasks
    assert ["failed: guard of shop: TIDEMARK_LIMIT_XMIN_AGE is 'none': write a whole number above 0"] == told


def test_a_source_that_is_down_is_waited_for_by_trying_again(world: World, dags: Dags) -> None:
    world.do("stop source")
    ran, told = run_sync(dags["sync_shop"], retries=1)

    assert {"sync": ("failed", 2)} == ran.tasks
    assert ["again", "failed"] == [words.partition(":")[0] for words in told]
    assert all("Connection refused" in words for words in told)


def wait_for(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (what := found()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return what


def processes(group: int) -> list[str]:
    """Name the living processes of a group."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,state=,comm="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines())
    return [name for pgid, state, name in rows if int(pgid) == group and not state.startswith("Z")]


def children_groups() -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid=,pgid="], capture_output=True, text=True, check=True).stdout
    rows = (map(int, line.split()) for line in listed.splitlines())
    return [pgid for ppid, pid, pgid in rows if ppid == os.getpid() and pid == pgid]


def with_java(groups: list[int]) -> list[int]:
    return [group for group in groups if "java" in processes(group)]
