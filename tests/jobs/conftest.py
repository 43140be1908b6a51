"""One Spark session for all tests of the jobs: starting it costs more than most of them."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest
from pyspark.sql import SparkSession

from tidemark.local.postgres import EmbeddedPostgres
from tidemark_jobs import session

LOCAL = Path(__file__).resolve().parents[2] / ".tidemark"

# For a handful of rows generated code costs more than it saves. The end-to-end tests run with it.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    with patch.dict(session._LEAN, INTERPRETED):
        started = session.build_session("tests", "file:///")
    yield started
    started.stop()


def take_way(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let folds write as when changes are few (`small`), many (`large`), or Spark finds all rows (`joined`)."""
    if way != "small":
        monkeypatch.setattr("tidemark_jobs.folding.is_small", lambda _: False)
        monkeypatch.setattr("tidemark_jobs.history.step.is_small", lambda _: False)
    if way == "joined":
        monkeypatch.setattr("tidemark_jobs.upsert.lookup.LOOKED_THROUGH", 0)
        monkeypatch.setattr("tidemark_jobs.changes.READ_HERE", 0)


@pytest.fixture(scope="session")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """PostgreSQL, which knows how a value is written."""
    folder = tmp_path_factory.mktemp("postgres")
    with (
        EmbeddedPostgres(LOCAL / "postgres" / "17", folder / "data") as server,
        psycopg.connect(server.superuser_url, autocommit=True) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
