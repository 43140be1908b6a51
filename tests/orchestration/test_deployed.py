"""DAG files that are deployed while runs go on, and tasks while nobody can look: on an Airflow that runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.orchestration.airflow_services import DEPLOYED, SCALER, Platform, healthy, wait_for
from tidemark_orchestration.bundles.store import Store
from tidemark_orchestration.scaler.work import Work

DAG = """
import time
from pathlib import Path

from version import VERSION

from airflow.sdk import DAG, BaseOperator


class Wait(BaseOperator):
    def execute(self, context):
        while not Path(context["params"]["file"]).exists():
            time.sleep(0.2)


class Say(BaseOperator):
    def execute(self, context):
        return f"{VERSION} {self.doc}"


with DAG("deployed", params={"file": "/"}, max_active_runs=2):
    Wait(task_id="wait") >> Say(task_id="say", doc="NUMBER")
"""
# Our own DAGs, of a source that no other DAG file of these tests has.
MIRROR = """
from pathlib import Path

from tidemark_contract.outlines import load_outlines
from tidemark_orchestration.mirror import mirror_dags

# airflow reads files with a dag only
for source in load_outlines(Path(__file__).with_name("specs")):
    globals().update({dag.dag_id: dag for dag in mirror_dags(source)})
"""
pytestmark = [pytest.mark.slow, pytest.mark.drawn(1)]


class Deployed:
    """A DAG of two tasks in S3, each version of which says its number twice: from two files."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform, self._folder = platform, folder
        self.store = Store(DEPLOYED, platform.aws("s3"))

    def publish(self, number: int) -> str:
        folder = self._folder / str(number)
        folder.mkdir()
        (folder / "deployed.py").write_text(DAG.replace("NUMBER", str(number)))
        (folder / "version.py").write_text(f"VERSION = {number}\n")
        return self.store.publish(folder).version

    def promote(self, version: str) -> None:
        """And wait until the DAG processor has it."""
        self.store.promote(version)
        dag = "/api/v2/dags/deployed"
        wait_for(
            lambda: (found := self.platform.ask("GET", dag)).ok and found.json()["bundle_version"] == version,
            self.platform.whole_story,
        )

    def begin(self, file: Path) -> str:
        """Begin a run whose first task waits for a file."""
        assert self.platform.ask("PATCH", "/api/v2/dags/deployed", body={"is_paused": False}).ok
        body = {"logical_date": None, "conf": {"file": str(file)}}
        answer = self.platform.ask("POST", "/api/v2/dags/deployed/dagRuns", body=body)
        assert answer.ok, answer.text
        return str(answer.json()["dag_run_id"])

    def task(self, run: str, task: str) -> dict[str, Any]:
        return dict(self.platform.get(f"/api/v2/dags/deployed/dagRuns/{run}/taskInstances/{task}"))

    def wait_for_task(self, run: str, task: str, state: str) -> None:
        wait_for(lambda: self.task(run, task)["state"] == state, self.platform.whole_story)

    def said(self, run: str) -> str:
        self.wait_for_task(run, "say", "success")
        path = f"/api/v2/dags/deployed/dagRuns/{run}/taskInstances/say/xcomEntries/return_value"
        return str(self.platform.get(path)["value"])


@pytest.fixture(scope="module")
def deployed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return Deployed(platform, tmp_path_factory.mktemp("deployed"))


def test_a_run_goes_on_with_its_version_while_another_is_deployed(deployed: Deployed, tmp_path: Path) -> None:
    one, two = deployed.publish(1), deployed.publish(2)
    deployed.promote(one)
    before = deployed.begin(tmp_path / "now")
    deployed.wait_for_task(before, "wait", "running")

    deployed.promote(two)
    assert "2 2" == deployed.said(deployed.begin(tmp_path))
    (tmp_path / "now").touch()
    assert "1 1" == deployed.said(before), "its second task began after the other version was there"

    deployed.promote(one)
    assert "1 1" == deployed.said(deployed.begin(tmp_path)), "taken back"


def publish_mirror(deployed: Deployed, folder: Path, table: str) -> str:
    specs = folder / "specs" / "kept"
    specs.mkdir(parents=True)
    (folder / "mirror.py").write_text(MIRROR)
    (specs / "source.yaml").write_text("source: kept\n")
    text = f"table: public.{table}\nkey: [id]\ncolumns: [{{name: id, type: integer, nullable: false}}]\n"
    (specs / f"public.{table}.yaml").write_text(text)
    return deployed.store.publish(folder).version


def wait_for_version(platform: Platform, dag: str, version: str) -> None:
    wait_for(lambda: platform.get(f"/api/v2/dags/{dag}")["bundle_version"] == version, platform.whole_story)


def begin_copy(platform: Platform) -> str:
    assert platform.ask("PATCH", "/api/v2/dags/copy_kept", body={"is_paused": False}).ok
    body = {"logical_date": None, "conf": {"tables": [], "reason": "a test"}}
    answer = platform.ask("POST", "/api/v2/dags/copy_kept/dagRuns", body=body)
    assert answer.ok, answer.text
    return str(answer.json()["dag_run_id"])


def copied(platform: Platform, run: str, task: str) -> dict[str, Any]:
    return dict(platform.get(f"/api/v2/dags/copy_kept/dagRuns/{run}/taskInstances/{task}"))


def specs_of(platform: Platform, run: str, task: str) -> str:
    """Give the last two names of the folder that its job was told of."""
    wait_for(lambda: copied(platform, run, task)["state"] == "success", platform.whole_story)
    path = f"/api/v2/dags/copy_kept/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
    value = platform.get(path)["value"]
    if isinstance(value, str):  # a large result lies on S3
        bucket, _, key = value.removeprefix("s3://").partition("/")
        value = json.loads(platform.aws("s3").get_object(Bucket=bucket.rpartition("@")[2], Key=key)["Body"].read())
    known = value["known"]
    return "/".join(Path(known["TIDEMARK_SPECS"]).parts[-2:])


def test_tasks_go_on_while_the_pages_are_down(deployed: Deployed, tmp_path: Path) -> None:
    platform = deployed.platform
    if not platform.ask("GET", "/api/v2/dags/deployed").ok:
        deployed.promote(deployed.publish(3))
    run = deployed.begin(tmp_path / "now")
    deployed.wait_for_task(run, "wait", "running")
    work = Work(platform.address, SCALER, platform.password(SCALER))
    assert 1 == work.tasks(), "what the scaler counts"

    platform.end("api-server")
    (tmp_path / "now").touch()
    wait_for(lambda: state_in_database(platform, run, "say") == "success", platform.whole_story)
    platform.start("api-server")
    wait_for(lambda: healthy(platform, "metadatabase", "scheduler"), platform.whole_story)

    assert "success" == deployed.task(run, "say")["state"]


def state_in_database(platform: Platform, run: str, task: str) -> str | None:
    """There is nobody to ask."""
    engine = create_engine(platform.database)
    query = text("SELECT state FROM task_instance WHERE run_id = :run AND task_id = :task")
    with engine.connect() as connection:
        state = connection.execute(query, {"run": run, "task": task}).scalar()
    engine.dispose()
    return state


def test_a_job_reads_the_specs_of_its_runs_version(deployed: Deployed, tmp_path: Path) -> None:
    """Its second task begins when another version is there: until then it waits for a place in the pool.

    It stands last, for the versions of this one have no other DAG.
    """
    platform = deployed.platform
    pool = {"slots": 0, "description": "", "include_deferred": True}
    assert platform.ask("POST", "/api/v2/pools", body={"name": "kept_writer", **pool}).ok
    one, two = (publish_mirror(deployed, tmp_path / table, table) for table in ("a", "b"))
    deployed.store.promote(one)
    platform.wait_for_dags("copy_kept")
    wait_for_version(platform, "copy_kept", one)
    run = begin_copy(platform)
    wait_for(lambda: copied(platform, run, "copy")["state"] == "success", platform.whole_story)
    deployed.store.promote(two)
    wait_for_version(platform, "copy_kept", two)

    answer = platform.ask("PATCH", "/api/v2/pools/kept_writer", body={"pool": "kept_writer", **pool, "slots": 1})
    assert answer.ok, answer.text

    assert [f"{one}/specs"] * 2 == [specs_of(platform, run, task) for task in ("copy", "sync")]
    assert f"{two}/specs" == specs_of(platform, begin_copy(platform), "sync")
