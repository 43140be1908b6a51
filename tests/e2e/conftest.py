from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tidemark_jobs.session import build_session


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One session for all: it is warm from the second module on."""
    session = build_session("e2e", "file:///")
    yield session
    session.stop()
