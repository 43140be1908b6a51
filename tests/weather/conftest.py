from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tidemark_jobs.session import build_session


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = build_session("weather", "file:///")
    yield session
    session.stop()
