"""One Spark session for all tests of the jobs: starting it costs more than most of them."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from pyspark.sql import SparkSession

from tidemark_jobs import session

# For a handful of rows generated code costs more than it saves. The end-to-end tests run with it.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    with patch.dict(session._LEAN, INTERPRETED):
        started = session.build_session("tests", "file:///")
    yield started
    started.stop()
