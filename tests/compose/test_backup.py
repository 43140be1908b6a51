"""A backup of Airflow's database goes into an empty server, and Airflow goes on from there."""

import re
import stat

import pytest

from tests.compose.conftest import prepared, wait_until_well
from tests.compose.platform import Platform

pytestmark = [
    pytest.mark.slow,
    pytest.mark.drawn(1, among="what is kept"),
    pytest.mark.integration,
    pytest.mark.timeout(1200),
]
FILL = (
    "airflow dags reserialize && airflow dags trigger sync_shop --run-id before && "
    "airflow connections add kept --conn-type http --conn-password a-password"
)
QUESTIONS = (
    "SELECT dag_id, run_id, state FROM dag_run",
    "SELECT conn_id, password FROM connection",
    "SELECT username, password FROM ab_user",
    "SELECT name FROM ab_role ORDER BY 1",
)


def skip_without_its_pg_dump(platform: Platform) -> None:
    """Skip where the image brings the pg_dump of an older server, which refuses; the official one brings its own."""
    versions = platform.run_in("postgres", ["sh", "-c", "pg_dump --version; postgres --version"]).said
    if 1 != len(set(re.findall(r"\(PostgreSQL\) (\d+)", versions))):
        pytest.skip(f"the image of PostgreSQL has a pg_dump of another version: {versions.strip()}")


def rows(platform: Platform) -> str:
    words = ["sh", "-c", f'exec psql -At -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{"; ".join(QUESTIONS)}"']
    return platform.run_in("postgres", words).said


def test_a_backup_goes_into_an_empty_server_and_airflow_goes_on(small: Platform) -> None:
    small.compose("up", "--detach", "--wait", "postgres")
    skip_without_its_pg_dump(small)
    prepared(small, FILL)
    before = rows(small)
    dump = small.home / "airflow.dump"
    small.make("compose-backup", dump)
    refused = small.make("compose-restore", dump, check=False)
    small.compose("down", "--volumes", "--timeout", "5")
    small.make("compose-restore", dump)

    assert 0o600 == stat.S_IMODE(dump.stat().st_mode)
    assert refused.code, "what is there is not written over"
    assert before == rows(small)
    assert [] == [
        kept for kept in ("sync_shop|before|queued", "kept|gAAAA", "admin|", "Engineer") if kept not in before
    ]
    assert "a-password" in prepared(small, "airflow connections get kept -o plain")
    small.compose("up", "--detach", "--no-deps", "redis", "scheduler")
    wait_until_well(small, ("scheduler",))
