"""The DAGs say what the specs say, and what their tasks make of a job's exit code."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from airflow.sdk import DAG, Asset, AssetAll
from jinja2 import StrictUndefined

from tests.orchestration.tasks import job_of, jobs_of
from tests.present import present
from tidemark_contract.argv import Job, parse
from tidemark_contract.names import TableName
from tidemark_contract.outlines import load_outlines
from tidemark_contract.specs import load_sources
from tidemark_orchestration.gold import gold_dags
from tidemark_orchestration.pools import pools

REPOSITORY = Path(__file__).parents[2]
DAGS = REPOSITORY / "orchestration" / "dags"
LATE = "tidemark_orchestration.notify.tell_of_delay"
if TYPE_CHECKING:
    from airflow.sdk.execution_time.context import OutletEventAccessor

Dags = dict[str, DAG]
TPCH = ("lineitem", "customer", "orders", "supplier", "nation", "region")


class JobThatEnds(Protocol):
    def __call__(self, end: int | str, out: str = "", err: str = "") -> None: ...


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
def dags(specs: Path) -> Dags:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    assert {} == bag.import_errors
    return bag.dags


def test_no_task_may_take_so_long_that_the_queue_gives_it_to_another_worker_too(dags: Dags) -> None:
    [hidden_for] = re.findall(r'VISIBILITY_TIMEOUT: "(\d+)"', (REPOSITORY / "infra/compose/compose.yaml").read_text())
    longest = max(present(task.execution_timeout) for dag in dags.values() for task in dag.tasks)

    assert 2 * longest <= timedelta(seconds=int(hidden_for))


def test_there_are_as_many_dags_as_sources_and_marts_ask_for(dags: Dags, specs: Path) -> None:
    """An empty bag would pass every other test. Both sources have the table of one mart."""
    of_shop = {"gold_shop_pricing_summary", "gold_shop_shipping_priority", "gold_shop_local_supplier_volume"}
    gold = of_shop | {"gold_crm_pricing_summary"}
    kinds = ("sync", "guard", "verify", "maintain", "copy", "backfill_gold")
    of_sources = {f"{kind}_{source.name}" for source in load_sources(specs) for kind in kinds}
    assert of_sources | gold | {"platform_hygiene"} == set(dags)


def test_a_source_without_a_mart_has_none_to_backfill(specs: Path) -> None:
    [crm, _] = load_outlines(specs)
    marts = [dag.dag_id for dag in gold_dags(replace(crm, paths=frozenset({"public.contact"})))]

    assert [] == marts


def test_every_dag_has_an_owner_words_retries_a_deadline_and_one_run_at_a_time(dags: Dags) -> None:
    for dag in dags.values():
        assert dag.doc_md
        assert dag.description
        assert dag.max_active_runs == 1
        assert not dag.catchup
        assert isinstance(dag.deadline, list)
        [deadline] = dag.deadline
        assert (deadline.callback.path, deadline.callback.kwargs["name"]) == (LATE, dag.dag_id)
        for task in dag.tasks:
            assert task.owner.startswith("team-") or (task.owner, dag.dag_id) == ("tidemark", "platform_hygiene")
            assert task.retries
            assert timedelta(0) < present(task.execution_timeout) < timedelta(days=2)
            assert task.on_failure_callback is not None


def test_a_task_waits_for_the_success_of_all_before_it_and_for_nothing_else(dags: Dags) -> None:
    """The one trigger rule that is used; docs/trigger-rules.md says what each of them does."""
    assert {"all_success"} == {task.trigger_rule.value for dag in dags.values() for task in dag.tasks}
    before = {f"{dag.dag_id}.{task.task_id}": task.upstream_task_ids for dag in dags.values() for task in dag.tasks}
    assert {"copy_shop.sync": {"copy"}, "copy_crm.sync": {"copy"}} == {name: ids for name, ids in before.items() if ids}


def test_the_docs_have_a_line_for_every_dag_and_no_other(dags: Dags) -> None:
    page = (REPOSITORY / "docs" / "orchestration.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+(?:<source>(?:_<mart>)?)?)` \|", page.partition("## The guard")[0], re.MULTILINE)
    shapes = [line.replace("<source>", "(shop|crm)").replace("<mart>", "[a-z_]+") for line in lines]

    assert {1} == {sum(bool(re.fullmatch(shape, dag)) for shape in shapes) for dag in dags}
    assert all(any(re.fullmatch(shape, dag) for dag in dags) for shape in shapes)


def test_every_pool_is_one_that_pools_makes(dags: Dags, specs: Path) -> None:
    """A task whose pool does not exist is never run, and nobody is told."""
    used = {task.pool for dag in dags.values() for task in dag.tasks}
    assert {"default_pool"} | pools(load_outlines(specs)).keys() == used


def test_what_a_dags_page_points_at_is_there(dags: Dags) -> None:
    """Airflow shows it far from the repository: a link has to be an address, a place in the docs is named as code."""
    for dag in dags.values():
        doc = present(dag.doc_md)
        assert not [link for link in re.findall(r"\]\(([^)]*)\)", doc) if not link.startswith("https://")]
        for page, anchor in re.findall(r"`(docs/[\w./-]+\.md)(?:#([\w-]+))?`", doc):
            headings = re.findall(r"^#+ (.*)$", (REPOSITORY / page).read_text(), re.MULTILINE)
            assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings], page
    assert "docs/orchestration.md#" in present(dags["guard_shop"].doc_md)


def test_every_templated_field_renders_with_what_a_form_begins_with(dags: Dags) -> None:
    """A name that a template does not find would be an empty text, which some jobs take for everything."""
    for dag in dags.values():
        dag.template_undefined = StrictUndefined
        params = {**dag.params.dump(), "reason": "a test"}
        for task in map(copy, dag.tasks):  # others look at the templates
            task.render_template_fields({"params": params, "dag": dag})
            for field in task.template_fields:
                assert "{{" not in str(getattr(task, field)), f"{dag.dag_id}.{task.task_id}.{field}"


def test_what_writes_to_the_lake_goes_through_the_pool_of_its_source(dags: Dags, specs: Path) -> None:
    """A proof and a copy write beside the lake, and take hours."""
    tasks = [(dag.dag_id, task) for dag in dags.values() for task in dag.tasks]
    pooled = {f"{dag}.{task.task_id}": task.pool for dag, task in tasks if task.pool != "default_pool"}
    assert {
        f"{kind}_{source}.{task}": f"{source}_writer"
        for source in ("shop", "crm")
        for kind, task in (("sync", "sync"), ("maintain", "maintain"), ("copy", "sync"))
    } == pooled
    assert {"shop_writer", "crm_writer"} == pools(load_outlines(specs)).keys()


def test_a_task_is_the_job_of_the_contract(dags: Dags) -> None:
    jobs = [task.job for name in ("sync", "guard", "verify", "maintain") for task in jobs_of(dags[f"{name}_shop"])]

    assert [Job("sync", "shop"), Job("guard", "shop"), Job("verify", "shop"), Job("maintain", "shop")] == jobs
    assert Job("gold", "shop", ("pricing_summary",)) == parse(jobs_of(dags["gold_shop_pricing_summary"])[0].job.argv())
    assert {"sync"} == dags["copy_shop"].get_task("copy").downstream_task_ids


def test_gold_waits_for_the_tables_that_it_reads(dags: Dags) -> None:
    condition = dags["gold_shop_shipping_priority"].timetable.asset_condition
    assert isinstance(condition, AssetAll)
    waits = {asset.uri for asset in condition.objects if isinstance(asset, Asset)}
    assert len(waits) == len(condition.objects)

    assert {f"tidemark://silver/shop/public.{table}" for table in ("customer", "orders", "lineitem")} == waits


def test_the_tables_of_a_copy_are_those_of_its_form(dags: Dags) -> None:
    task = copy(job_of(dags["copy_shop"], "copy"))
    task.render_template_fields({"params": {"tables": ["public.orders", '"Odd"."a""b"']}, "dag": dags["copy_shop"]})

    assert ["public.orders", '"Odd"."a""b"'] == list(task.tables)


def test_a_backfill_is_of_the_marts_and_the_mark_of_its_form(dags: Dags, job_that_ends: JobThatEnds) -> None:
    """What it says it has swapped has an event, and no other mart."""
    from airflow.sdk.execution_time.context import OutletEventAccessors

    task, events = copy(job_of(dags["backfill_gold_shop"], "backfill")), OutletEventAccessors()
    params = {"marts": ["pricing_summary"], "mark": 41}
    task.render_template_fields({"params": params, "dag": dags["backfill_gold_shop"]})
    said = {"mark": 41, "published": ["pricing_summary"]}
    job_that_ends(f"import json; print(json.dumps({{'argv': sys.argv[1:], **{said}}}))")
    summary = task.execute({"outlet_events": events})

    words = ["backfill", "--source", "shop", "--timeout", "600", "--mark", "41", "--", "pricing_summary"]
    assert words == summary["argv"][-len(words) :]
    [told] = events[task.outlets[0]].asset_alias_events
    assert ("tidemark://gold/shop/pricing_summary", {"mark": 41}) == (told.dest_asset_key.uri, told.extra)


def test_a_backfills_form_asks_for_a_reason_and_takes_no_mark_for_the_newest(dags: Dags) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    form = dags["backfill_gold_crm"].params
    assert ["pricing_summary"] == form.get_param("marts").schema["examples"]
    with pytest.raises(ParamValidationError):
        form.validate()
    task = copy(job_of(dags["backfill_gold_crm"], "backfill"))
    task.render_template_fields({"params": {"marts": [], "mark": None}, "dag": dags["backfill_gold_crm"]})
    assert ([], None) == (task.tables, task.mark)


def test_parsing_connects_to_nothing_and_starts_nothing(specs: Path, dags: Dags, tmp_path: Path) -> None:
    """Where there is no database of Airflow's, a connection or a variable would be an import error too."""
    program = """
import sys
from airflow.dag_processing.dagbag import DagBag
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.fork", "os.exec"):
        raise RuntimeError(f"{event} while parsing: {arguments}")
bag = DagBag(sys.argv[1], collect_dags=False)
sys.addaudithook(refuse)
found = bag.process_file(sys.argv[1], only_if_updated=False)
print(len(found), bag.import_errors)
"""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://airflow@127.0.0.1:1/airflow",
        "TIDEMARK_SPECS": str(specs),
        "TIDEMARK_NOTIFY": "webhook:teams,email:ops@example.com,sns:arn:aws:sns:eu-west-1:123456789012:pages",
    }
    argv = [sys.executable, "-W", "ignore", "-c", program, str(DAGS / "tidemark_dags.py")]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert f"{len(dags)} {{}}" == done.stdout.splitlines()[-1], done.stderr[-2000:]


def test_a_source_that_is_wrong_is_an_import_error_that_says_why(specs: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    wrong = specs / "wrong"
    wrong.mkdir()
    try:
        (wrong / "source.yaml").write_text("source: No Name\n")
        [error] = DagBag(str(DAGS)).import_errors.values()
    finally:
        shutil.rmtree(wrong)
    assert "'No Name' must be 1 to 54 of a-z" in error


@pytest.fixture
def job_that_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> JobThatEnds:
    """Stand a program with a chosen end in the place of the Spark environment's Python."""

    def make(end: int | str, out: str = "", err: str = "") -> None:
        program = tmp_path / "python"
        end = f"sys.exit({end})" if isinstance(end, int) else end
        body = f"import os, sys\nprint({out!r})\nprint({err!r}, file=sys.stderr)\n{end}\n"
        program.write_text(f"#!{sys.executable}\n{body}")
        program.chmod(0o755)
        monkeypatch.setenv("TIDEMARK_JOBS_PYTHON", str(program))

    return make


def run(dags: Dags, dag: str = "sync_shop") -> tuple[Any, "OutletEventAccessor"]:
    """Run the DAG's task by itself; give its result, and what it has said of its asset."""
    from airflow.sdk.execution_time.context import OutletEventAccessors

    [task] = jobs_of(dags[dag])
    events = OutletEventAccessors()
    return task.execute({"outlet_events": events}), events[task.outlets[0]]


def test_a_finished_sync_tells_its_mark_with_every_table_that_is_in_it(dags: Dags, job_that_ends: JobThatEnds) -> None:
    mark = {"mark": 7, "lsn": "0/1", "taken_at": "now"}
    job_that_ends(0, json.dumps({**mark, "rows": 3, "published": ["public.orders", 'a."B"']}))
    summary, told = run(dags)

    assert {**mark, "rows": 3} == summary
    names = (TableName("public", "orders"), TableName("a", "B"))
    assert {f"tidemark://silver/shop/{name.path}": mark for name in names} == {
        event.dest_asset_key.uri: event.extra for event in told.asset_alias_events
    }


def test_a_finished_mart_tells_its_mark(dags: Dags, job_that_ends: JobThatEnds) -> None:
    job_that_ends(0, '{"mark": 7, "lsn": "0/1", "taken_at": "now"}')
    _, told = run(dags, "gold_shop_pricing_summary")

    assert {"mark": 7, "lsn": "0/1", "taken_at": "now"} == told.extra


def test_what_may_pass_is_retried_and_what_needs_a_person_fails_at_once(dags: Dags, job_that_ends: JobThatEnds) -> None:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    job_that_ends(75, err='{"event": "failed", "message": "the source does not answer"}')
    with pytest.raises(AirflowException, match="does not answer") as retried:
        run(dags)
    assert not isinstance(retried.value, AirflowFailException)

    job_that_ends(78, err='{"event": "failed", "message": "wal_level is replica"}')
    with pytest.raises(AirflowFailException, match="wal_level"):
        run(dags)


def test_a_job_that_was_killed_is_tried_again(dags: Dags, job_that_ends: JobThatEnds) -> None:
    """Its worker went away, or memory ran out: what it was about is begun again where each table stands."""
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    job_that_ends("os.kill(os.getpid(), 9)")
    with pytest.raises(AirflowException, match="sync of shop: it was ended by SIGKILL") as retried:
        run(dags)
    assert not isinstance(retried.value, AirflowFailException)


def test_a_job_reads_the_specs_that_its_dag_was_made_from(
    specs: Path, job_that_ends: JobThatEnds, tmp_path: Path
) -> None:
    """A run keeps to its version of the DAG files, while TIDEMARK_SPECS of the worker may lead to another."""
    from airflow.dag_processing.dagbag import DagBag

    version = tmp_path / "version"
    shutil.copytree(DAGS, version)
    shutil.copytree(specs / "shop", version / "specs" / "shop")
    job_that_ends("print('{\"specs\": \"' + os.environ['TIDEMARK_SPECS'] + '\"}')")
    dags = DagBag(str(version)).dags

    summary, _ = run(dags)

    assert {"specs": str(version / "specs")} == summary
    others = [task for dag in dags.values() if dag.dag_id != "platform_hygiene" for task in jobs_of(dag)]
    assert {version / "specs"} == {task.specs for task in others}


def test_a_worker_without_the_setting_fails_at_once_and_names_it(dags: Dags, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.delenv("TIDEMARK_JOBS_PYTHON", raising=False)
    with pytest.raises(AirflowFailException, match="TIDEMARK_JOBS_PYTHON is not set"):
        run(dags)


def test_a_task_that_is_ended_before_it_has_begun_ends_quietly(dags: Dags) -> None:
    job_of(dags["sync_shop"], "sync").on_kill()
