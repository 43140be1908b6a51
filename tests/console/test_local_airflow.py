"""The Airflow that `up --airflow` starts: well, closed to everybody else, and gone when it is ended."""

import os
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.streaming.looking import LINUX, listening_addresses
from tidemark.local import processes
from tidemark.local.airflow import LocalAirflow
from tidemark.local.airflow_api import AirflowApi
from tidemark.local.postgres import EmbeddedPostgres

LOCAL = Path(__file__).parents[2] / ".tidemark"
# What a shell may be set up for is another Airflow's.
OTHERS = {"AIRFLOW__API__HOST": "0.0.0.0", "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor", "AIRFLOW_HOME": "/nowhere"}
PATIENCE_S = 300.0
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    folder = tmp_path_factory.mktemp("airflow")
    source = folder / "specs" / "shop"
    source.mkdir(parents=True)
    (source / "source.yaml").write_text("source: shop\n")
    (source / "public.orders.yaml").write_text(
        "table: public.orders\nkey: [id]\ncolumns: [{name: id, type: integer, nullable: false}]\n"
    )
    with EmbeddedPostgres(LOCAL / "postgres" / "17", folder / "data") as server:
        made = LocalAirflow(
            folder / "airflow", server, {**os.environ, **OTHERS, "TIDEMARK_SPECS": str(folder / "specs")}
        )
        try:
            made.start(lambda _: None)
            yield made
        finally:
            made.end()
    server.remove()


def pids(airflow: LocalAirflow) -> list[int]:
    """The services, and whatever they have started."""
    parents = dict(parents_of_all())
    found = processes.find(airflow.word)
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid and child not in found]
    return found


def first(airflow: LocalAirflow) -> int:
    """The process that has started all others."""
    found = processes.find(airflow.word)
    parents = dict(parents_of_all())
    [pid] = [pid for pid in found if pid in parents and parents[pid] not in found]
    return pid


def parents_of_all() -> Iterator[tuple[int, int]]:
    """Every process with its parent; others come and go meanwhile."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield int(name), int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])


def argv(pid: int) -> str:
    """Give a process's argv; one that has ended has none, nor has a zombie."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def test_it_has_the_dags_of_the_source_which_are_paused_until_somebody_lets_them_run(airflow: LocalAirflow) -> None:
    api = airflow.api()
    api.wait_for_dag("sync_shop", lambda _: None, PATIENCE_S)

    assert ["copy_shop", "guard_shop", "maintain_shop", "sync_shop", "verify_shop"] == sorted(api.dags_of("shop"))
    assert api.is_paused("sync_shop")
    api.unpause("copy_shop")
    assert not api.is_paused("copy_shop")


@pytest.mark.skipif(not LINUX, reason="only Linux shows on which addresses a process listens")
def test_only_this_machine_can_reach_it(airflow: LocalAirflow) -> None:
    listeners = [listening_addresses(pid) for pid in pids(airflow)]

    assert len(listeners) >= 5
    assert {"127.0.0.1"} == set().union(*listeners)


def test_nobody_gets_in_without_the_password_which_only_its_owner_can_read(airflow: LocalAirflow) -> None:
    api = airflow.api()
    with pytest.raises(HTTPError) as anonymous:
        urlopen(f"{api.address}/api/v2/dags")
    with pytest.raises(HTTPError) as stranger:
        AirflowApi(api.address, api.user, "wrong").dags_of("shop")

    for refusal in (anonymous.value, stranger.value):
        refusal.close()
    assert [HTTPStatus.UNAUTHORIZED] * 2 == [anonymous.value.code, stranger.value.code]
    secrets = [airflow.folder / name for name in ("secrets.json", "passwords.json", "database.url")]
    assert {0o600} == {file.stat().st_mode & 0o777 for file in secrets}
    assert api.password not in repr(api)
    assert not LINUX or not [pid for pid in pids(airflow) if api.password in argv(pid)]


def test_its_own_database_is_cleaned_by_a_task(airflow: LocalAirflow) -> None:
    """Airflow keeps tasks away from it; this one is let in by the command that gives the address."""
    api = airflow.api()
    api.wait_for_dag("platform_hygiene", lambda _: None, PATIENCE_S)
    with psycopg.connect(make_conninfo(airflow.server.superuser_url, dbname="airflow")) as connection:
        for days in (400, 1):
            connection.execute(
                "INSERT INTO log (dttm, event, owner) VALUES (now() - make_interval(days => %s), 'looked', 'test')",
                (days,),
            )
    api.unpause("platform_hygiene")

    api.wait("platform_hygiene", api.trigger("platform_hygiene"), lambda _: None, PATIENCE_S)

    with psycopg.connect(make_conninfo(airflow.server.superuser_url, dbname="airflow")) as connection:
        left = connection.execute("SELECT dttm > now() - interval '2 days' FROM log WHERE owner = 'test'").fetchall()
    assert [(True,)] == left


def test_it_is_there_already_and_ends_with_all_that_it_has_started(airflow: LocalAirflow) -> None:
    before, began = pids(airflow), first(airflow)
    assert airflow.start(lambda _: None).healthy()
    assert began == first(airflow)

    assert airflow.end()
    assert [] == [pid for pid in before if argv(pid)]
    assert (False, False) == (airflow.end(), airflow.runs())
