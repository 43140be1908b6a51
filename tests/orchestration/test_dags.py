"""The DAGs say what the specs say, and what their tasks make of a job's exit code."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidemark_contract.argv import Job, parse
from tidemark_contract.specs import load_sources

DAGS = Path(__file__).parents[2] / "orchestration" / "dags"
TPCH = ("lineitem", "customer", "orders", "supplier", "nation", "region")


@pytest.fixture(scope="module", autouse=True)
def specs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("specs")
    for source, tables in {"shop": TPCH, "crm": ("contact", "lineitem")}.items():
        (folder / source).mkdir()
        (folder / source / "source.yaml").write_text(f"source: {source}\nowner: team-{source}\n")
        for table in tables:
            text = f"table: public.{table}\nkey: [id]\ncolumns: [{{name: id, type: integer, nullable: false}}]\n"
            (folder / source / f"public.{table}.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TIDEMARK_SPECS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def dags(specs: Path):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    assert {} == bag.import_errors
    return bag.dags


def test_there_is_one_sync_dag_per_source_and_one_gold_dag_per_mart(dags, specs: Path) -> None:
    """An empty bag would pass every other test. Both sources have the table of one mart."""
    of_shop = {"gold_shop_pricing_summary", "gold_shop_shipping_priority", "gold_shop_local_supplier_volume"}
    gold = of_shop | {"gold_crm_pricing_summary"}
    assert {f"sync_{source.name}" for source in load_sources(specs)} | gold == set(dags)


def test_every_dag_has_an_owner_words_retries_and_one_run_at_a_time(dags) -> None:
    for dag in dags.values():
        assert dag.doc_md
        assert dag.description
        assert dag.max_active_runs == 1
        assert not dag.catchup
        for task in dag.tasks:
            assert task.owner.startswith("team-")
            assert task.retries
            assert task.execution_timeout


def test_a_task_is_the_job_of_the_contract(dags) -> None:
    jobs = {task.task_id: task.job for task in dags["sync_shop"].tasks}

    assert {"sync": Job("sync", "shop"), "verify": Job("verify", "shop")} == jobs
    assert Job("gold", "shop", ("pricing_summary",)) == parse(dags["gold_shop_pricing_summary"].tasks[0].job.argv())
    assert {"verify"} == dags["sync_shop"].get_task("sync").downstream_task_ids


def test_sync_publishes_one_asset_per_table_and_gold_waits_for_those_it_reads(dags) -> None:
    assets = {asset.uri for asset in dags["sync_shop"].get_task("sync").outlets}
    waits = {asset.uri for asset in dags["gold_shop_shipping_priority"].timetable.asset_condition.objects}

    assert {f"tidemark://silver/shop/public.{table}" for table in TPCH} == assets
    assert {f"tidemark://silver/shop/public.{table}" for table in ("customer", "orders", "lineitem")} == waits


@pytest.fixture
def job_that_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Stand a program with a chosen end in the place of the Spark environment's Python."""

    def make(end: int | str, out: str = "", err: str = "") -> None:
        program = tmp_path / "python"
        end = f"sys.exit({end})" if isinstance(end, int) else end
        body = f"import os, sys\nprint({out!r})\nprint({err!r}, file=sys.stderr)\n{end}\n"
        program.write_text(f"#!{sys.executable}\n{body}")
        program.chmod(0o755)
        monkeypatch.setenv("TIDEMARK_JOBS_PYTHON", str(program))

    return make


class Events(dict):
    """What Airflow gives a task to say about its assets."""

    def __missing__(self, asset):
        self[asset] = type("Event", (), {"extra": None})()
        return self[asset]


def run(dags, task: str = "sync"):
    events = Events()
    return dags["sync_shop"].get_task(task).execute({"outlet_events": events}), events


def test_a_finished_sync_tells_its_mark_with_every_asset(dags, job_that_ends) -> None:
    job_that_ends(0, '{"mark": 7, "lsn": "0/1", "taken_at": "now", "rows": 3}')
    summary, events = run(dags)

    assert 7 == summary["mark"]
    assert [{"mark": 7, "lsn": "0/1", "taken_at": "now"}] * len(TPCH) == [event.extra for event in events.values()]


def test_what_may_pass_is_retried_and_what_needs_a_person_fails_at_once(dags, job_that_ends) -> None:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    job_that_ends(75, err='{"event": "failed", "message": "the source does not answer"}')
    with pytest.raises(AirflowException, match="does not answer") as retried:
        run(dags)
    assert not isinstance(retried.value, AirflowFailException)

    job_that_ends(78, err='{"event": "failed", "message": "wal_level is replica"}')
    with pytest.raises(AirflowFailException, match="wal_level"):
        run(dags)


def test_a_job_that_was_killed_is_tried_again(dags, job_that_ends) -> None:
    """Its worker went away, or memory ran out: what it was about is begun again where each table stands."""
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    job_that_ends("os.kill(os.getpid(), 9)")
    with pytest.raises(AirflowException, match="sync of shop: it was ended by SIGKILL") as retried:
        run(dags)
    assert not isinstance(retried.value, AirflowFailException)


def test_a_worker_without_the_setting_fails_at_once_and_names_it(dags, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.delenv("TIDEMARK_JOBS_PYTHON", raising=False)
    with pytest.raises(AirflowFailException, match="TIDEMARK_JOBS_PYTHON is not set"):
        run(dags)


def test_a_task_that_is_ended_before_it_has_begun_ends_quietly(dags) -> None:
    dags["sync_shop"].get_task("sync").on_kill()
