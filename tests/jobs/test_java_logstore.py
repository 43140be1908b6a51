"""Commits to a Delta log on S3, by conditional PUT, through a real Spark session against moto's S3."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from tests.integration.proxy import Fault, Rule, behind
from tests.integration.s3 import BUCKET, S3Server, moto_server
from tidemark_jobs.session import build_session, home

LAKE = f"s3://{BUCKET}"
WRITERS, VERSIONS = 4, 8
LOST = "lost-answer.json"


@pytest.fixture
def losing(tmp_path: Path) -> Iterator[S3Server]:
    """A server whose first answer about one object is lost."""
    with moto_server(tmp_path) as server, behind(server, Rule(Fault.LOST, ("PUT",), LOST)) as proxy:
        yield proxy


@pytest.mark.slow
def test_one_writer_wins_each_version_on_s3_even_when_the_answer_is_lost(losing: S3Server) -> None:
    """In a process of its own: the jars for S3 have to be there when its JVM starts."""
    if not (home() / "jars" / "spark-s3").exists():
        pytest.skip("the jars for a lake on S3 are not here: `make setup-s3` fetches them")
    argv = [sys.executable, "-m", "tests.jobs.test_java_logstore"]
    root, environment = Path(__file__).parents[2], losing.environment

    done = subprocess.run(argv, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=500)

    found = json.loads(done.stdout.splitlines()[-1])
    assert list(range(VERSIONS)) == sorted(version for version, _ in found["won"])
    assert sorted(found["won"]) == found["stored"], "another content than the winner's"
    assert {"written": "ours", "again": "taken"} == found["lost"]
    assert [0, 1] == found["delta"]


def drive() -> None:
    """Race for versions, lose an answer, append to a table; print what came of it."""
    spark = build_session("logstore", LAKE)
    with ThreadPoolExecutor(WRITERS) as pool:
        races = [
            pool.submit(write, spark, f"{version}.json", f"{writer}")
            for version in range(VERSIONS)
            for writer in range(WRITERS)
        ]
    outcomes = [race.result() for race in races]
    won = [(at // WRITERS, str(at % WRITERS)) for at, outcome in enumerate(outcomes) if outcome == "ours"]
    stored = [(version, read(spark, f"{version}.json")) for version in range(VERSIONS)]
    lost = {"written": write(spark, LOST, "a"), "again": write(spark, LOST, "b")}
    spark.range(2).write.format("delta").save(f"{LAKE}/table")
    delta = sorted(row.id for row in spark.read.format("delta").load(f"{LAKE}/table").collect())
    print(json.dumps({"won": won, "stored": stored, "lost": lost, "delta": delta}))


def write(spark: SparkSession, name: str, line: str) -> str:
    """Commit through the store, as Delta does; say whose commit stands there."""
    jvm, conf = spark._jvm, spark._jsparkSession.sessionState().newHadoopConf()
    assert jvm is not None
    lines = jvm.java.util.List.of(line).iterator()
    try:
        store(spark).write(path(spark, name), lines, False, conf)
    except Py4JJavaError as error:
        if "java.nio.file.FileAlreadyExistsException" != error.java_exception.getClass().getName():
            raise
        return "taken"
    return "ours"


def store(spark: SparkSession) -> Any:
    jvm = spark._jvm
    assert jvm is not None
    return jvm.io.tidemark.spark.delta.ConditionalPutLogStore(spark._jsparkSession.sessionState().newHadoopConf())


def path(spark: SparkSession, name: str) -> Any:
    jvm = spark._jvm
    assert jvm is not None
    return jvm.org.apache.hadoop.fs.Path(f"{LAKE}/log/{name}")


def read(spark: SparkSession, name: str) -> str:
    lines = store(spark).read(path(spark, name), spark._jsparkSession.sessionState().newHadoopConf())
    return str(lines.next())


if __name__ == "__main__":
    drive()
