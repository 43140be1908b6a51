"""Fifty secrets are planted wherever one enters; none is found in what the platform tells anybody."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest
from psycopg2 import sql

from tests.orchestration.airflow_services import BUCKET, Platform
from tests.orchestration.canaries import Canaries

pytestmark = pytest.mark.slow
DRAWN = ("fernet-key", "jwt-secret", "api-key", "admin-password")


@pytest.fixture(scope="module")
def canaries(platform: Platform) -> Canaries:
    found = platform.canaries
    for name in DRAWN:
        found.known[name] = platform.secret(name).read_text()
    return found


@pytest.fixture(scope="module")
def asked(platform: Platform, canaries: Canaries) -> dict[str, list[str]]:
    """Plant what is kept in Airflow's database and in AWS; name all that a DAG can ask for."""
    manager = platform.aws("secretsmanager")
    connections, variables = ["from_env", "from_env_json"], ["token_from_env", "token_from_env_json"]
    for number in range(10):
        connections.append(f"kept_{number}")
        made = {**canaries.connection(connections[-1]), "connection_id": connections[-1]}
        answer = platform.ask("POST", "/api/v2/connections", body=made)
        assert answer.ok, answer.text
    for number in range(6):
        connections.append(f"far_{number}")
        text = json.dumps(canaries.connection(connections[-1]))
        if number % 2:
            text = f"postgresql://someone:{canaries.draw('password of ' + connections[-1])}@db/shop"
        manager.create_secret(Name=f"airflow/connections/{connections[-1]}", SecretString=text)
    for number in range(6):
        variables += [f"api_key_{number}", f"far_token_{number}"]
        kept = {"key": variables[-2], "value": canaries.draw(variables[-2])}
        assert platform.ask("POST", "/api/v2/variables", body=kept).ok
        manager.create_secret(Name=f"airflow/variables/{variables[-1]}", SecretString=canaries.draw(variables[-1]))
    return {"connections": connections, "variables": variables}


@contextmanager
def watched() -> Iterator[set[str]]:
    """Collect the command lines of this machine while something happens."""
    seen, over = set[str](), threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
            seen.update(listed.stdout.splitlines())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@pytest.fixture(scope="module")
def told(platform: Platform, asked: dict[str, list[str]]) -> dict[str, str]:
    """Give what the platform tells after a careless DAG, and jobs that say all they know: by where it stands."""
    platform.wait_for_dags("telltale", "sync_shop", "verify_shop")
    with watched() as argv:
        ends = [platform.run_dag("telltale", asked)[1], platform.run_dag("sync_shop")[1]]
        ends.append(platform.run_dag("verify_shop")[1])
    assert ["failed", "success", "failed"] == ends
    return {
        **{f"s3:{key}": body_of(platform, key) for key in platform.objects("")},
        **{str(file): file.read_text() for file in platform.logs.rglob("*") if file.is_file()},
        **{name: platform.said(name) for name in platform.running},
        **dict(rows(platform)),
        **dict(answers(platform)),
        "argv": "\n".join(argv),
    }


def body_of(platform: Platform, key: str) -> str:
    return str(platform.aws("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


def rows(platform: Platform) -> Iterator[tuple[str, str]]:
    """Give all that Airflow's database has, as text."""
    with psycopg2.connect(platform.database.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            yield f"table {table}", "\n".join(row[0] for row in cursor.fetchall())
    connection.close()


def answers(platform: Platform) -> Iterator[tuple[str, str]]:
    """Give what an administrator, who may see everything, is told."""
    for path in platform.get("/openapi.json")["paths"]:
        if path.endswith("/logout"):
            continue  # it would be done
        answer = platform.ask("GET", path.replace("{dag_id}", "telltale").replace("{dag_run_id}", "~"))
        yield path, answer.text
    for dag, task in (("telltale", "tell"), ("sync_shop", "sync"), ("verify_shop", "verify")):
        for run in platform.get(f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]:
            path = f"/api/v2/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances/{task}"
            for more in ("", "/logs/1", "/xcomEntries/return_value"):
                yield path + more, platform.ask("GET", path + more).text


def test_none_is_told(canaries: Canaries, told: dict[str, str]) -> None:
    assert len(canaries.known) >= 50
    assert {} == {where: found for where, text in told.items() if (found := list(canaries.found_in(text)))}


def test_what_was_looked_through_is_where_they_would_have_been(platform: Platform, told: dict[str, str]) -> None:
    """A search in the wrong places finds nothing either."""
    careless = "".join(text for where, text in told.items() if "telltale" in where and "logs" in where)

    assert careless.count("printed ***") >= 20
    assert "rendered ***" in careless
    assert "'TIDEMARK_SOURCE_SHOP_URL': 'postgresql://capture:***@db:5432/shop'" in "".join(told.values())
    assert "***" in told["table rendered_task_instance_fields"]
    assert "***" in "".join(text for where, text in told.items() if where.startswith("s3:xcom/sync_shop"))
    assert "-m tidemark_jobs sync" in told["argv"]
    assert "path=/api/v2/connections" in told["api-server"]
    assert "printed ***" in told["scheduler"], "the LocalExecutor repeats what tasks say"
