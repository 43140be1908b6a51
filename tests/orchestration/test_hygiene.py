"""The platform's chores, on a real Airflow database and real files."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tidemark_contract.errors import ConfigurationError, SettingsError, TidemarkError
from tidemark_orchestration.hygiene import CleanDatabase, DeleteLogs, HygieneOperator, RemindOfKey, delete_old
from tidemark_orchestration.metadata import CONN, clean, let_in

pytestmark = pytest.mark.filterwarnings("default")  # Airflow's models bring the warnings of their libraries
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BLOCKED = {CONN: "airflow-db-not-allowed:///", "AIRFLOW__CORE__SQL_ALCHEMY_CONN": "airflow-db-not-allowed:///"}


def said_at(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def remember(*days: int) -> None:
    from airflow.models.log import Log
    from airflow.utils.session import create_session

    with create_session() as session:
        for age in days:
            log = Log(event=f"{age} days ago", owner="test", dttm=said_at(age))
            log.dttm = said_at(age)
            session.add(log)


def remembered() -> list[str]:
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return sorted(str(event) for event in session.scalars(select(Log.event).where(Log.owner == "test")))


def test_what_is_older_than_is_kept_leaves_airflows_database(database: str) -> None:
    remember(1, 20, 200)

    CleanDatabase(task_id="clean").do({**os.environ, "TIDEMARK_KEEP_RUNS_DAYS": "10"}, datetime.now(UTC))

    assert ["1 days ago"] == remembered()


def test_a_task_whose_worker_has_a_command_for_the_address_gets_there(database: str, tmp_path: Path) -> None:
    """As in a task: the address itself is overwritten."""
    address = tmp_path / "address"
    address.write_text(database)
    remember(400)
    environment = {**os.environ, **BLOCKED, f"{CONN}_CMD": f"cat {address}"}

    clean(said_at(300), environment, lambda line: None)

    assert "400 days ago" not in remembered()


def test_a_task_whose_worker_has_no_database_says_where_it_has_to_run(tmp_path: Path) -> None:
    """A file that only has Airflow's own default names none."""
    (tmp_path / "airflow.cfg").write_text(f"[database]\nsql_alchemy_conn = sqlite:///{tmp_path}/airflow.db\n")
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path), **BLOCKED}

    with pytest.raises(ConfigurationError, match=r"not let in.*SQL_ALCHEMY_CONN_CMD.*TIDEMARK_HYGIENE_QUEUE.*cron"):
        clean(NOW, environment, lambda line: None)
    assert not (tmp_path / "airflow.db").exists()


def test_a_file_that_names_a_database_is_a_way_in(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text("[database]\nsql_alchemy_conn = postgresql://airflow:p%40ss@db/airflow\n")
    found = let_in({"AIRFLOW_HOME": str(tmp_path), "TIDEMARK_LAKE": "l", **BLOCKED})

    assert {"AIRFLOW_HOME": str(tmp_path), "TIDEMARK_LAKE": "l"} == found


def test_a_cleaning_that_fails_gives_its_last_line(tmp_path: Path) -> None:
    environment = {**os.environ, CONN: f"sqlite:///{tmp_path}/nowhere/airflow.db"}

    with pytest.raises(TidemarkError, match="airflow db clean ended with 1; the last that it said is: "):
        clean(NOW, environment, lambda line: None)


def test_a_reason_is_all_that_a_task_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setenv("TIDEMARK_KEEP_LOGS_DAYS", "a month")
    with pytest.raises(AirflowFailException, match="TIDEMARK_KEEP_LOGS_DAYS is 'a month'") as failed:
        DeleteLogs(task_id="logs").execute({})
    assert failed.value.__suppress_context__


def test_old_logs_go_and_what_is_written_to_or_linked_stays(tmp_path: Path) -> None:
    logs, other = tmp_path / "logs", tmp_path / "other"
    old, young = logs / "dag_id=a" / "run_id=1" / "1.log", logs / "dag_id=a" / "run_id=2" / "1.log"
    for file in (old, young, other / "kept.log"):
        file.parent.mkdir(parents=True)
        file.write_text("said")
    (logs / "latest").symlink_to(other)
    ago = time.time() - 40 * 86400
    for path in (old, other / "kept.log", other):
        os.utime(path, (ago, ago))

    assert {"files": 1, "bytes": 4} == delete_old(logs, time.time() - 30 * 86400)
    os.utime(old.parent, (ago, ago))  # a folder was written to when its file was deleted: it goes a month later
    assert {"files": 0, "bytes": 0} == delete_old(logs, time.time() - 30 * 86400)

    assert [young.parent] == list((logs / "dag_id=a").iterdir())
    assert (other / "kept.log").exists()
    assert {"files": 0, "bytes": 0} == delete_old(tmp_path / "nowhere", time.time())


def test_two_workers_with_the_same_disk_delete_each_file_once(tmp_path: Path) -> None:
    for number in range(3000):
        folder = tmp_path / f"run{number % 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.log").write_text("said")

    with ThreadPoolExecutor(4) as pool:  # folders too: they are written to while they are emptied
        done = list(pool.map(lambda _: delete_old(tmp_path, time.time() + 3600), range(4)))

    assert (3000, 12000) == (sum(int(str(one["files"])) for one in done), sum(int(str(one["bytes"])) for one in done))
    assert [] == list(tmp_path.iterdir())


def remind(since: str) -> dict[str, object]:
    return RemindOfKey(task_id="key").do({"TIDEMARK_FERNET_SINCE": since, "TIDEMARK_FERNET_DAYS": "30"}, NOW)


def test_an_old_key_is_told_of_and_a_young_one_is_not(webhook: list[dict[str, object]]) -> None:
    young, old = date(2026, 5, 2), date(2026, 5, 1)

    assert {"age_days": 30, "allowed_days": 30, "told": False} == remind(young.isoformat())
    assert [] == webhook
    assert {"age_days": 31, "allowed_days": 30, "told": True} == remind(old.isoformat())
    assert "Airflow's Fernet key is 31 days old" in str(webhook[0]["text"])
    assert "airflow rotate-fernet-key" in str(webhook[0]["text"])


def test_a_key_whose_age_nobody_knows_is_skipped_and_a_wrong_day_is_told() -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException, match="TIDEMARK_FERNET_SINCE is not set"):
        RemindOfKey(task_id="key").do({}, NOW)
    with pytest.raises(SettingsError, match="TIDEMARK_FERNET_SINCE is '1st of May': write a day as 2026-01-31"):
        remind("1st of May")


def test_every_chore_has_a_name_of_its_own() -> None:
    assert {"clean_database", "delete_logs", "remind_of_fernet_key"} == {
        chore.name for chore in HygieneOperator.__subclasses__()
    }
