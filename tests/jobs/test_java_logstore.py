"""Commits to a Delta log on S3, by conditional PUT, through a real Spark session against moto's S3."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]  # it has no types
from pyspark.sql import SparkSession

from tidemark_jobs.session import build_session, home

LAKE = "s3://lake"
WRITERS, VERSIONS = 4, 8
LOST = "lost-answer.json"


class LosingProxy(BaseHTTPRequestHandler):
    """Hand requests on; close the connection instead of answering the first PUT of one object."""

    protocol_version = "HTTP/1.1"
    backend = 0
    lost = 0

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = http.client.HTTPConnection("127.0.0.1", type(self).backend, timeout=60)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if self.command == "PUT" and self.path.endswith(LOST) and not type(self).lost:
            type(self).lost += 1
            self.close_connection = True
            return
        self._answer(answer, content)

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """Start moto's server, and before it a proxy that loses one answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        LosingProxy.backend = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(LosingProxy.backend)]
    with (tmp_path / "moto.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as moto:
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), LosingProxy)
        Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            create_bucket(LosingProxy.backend, deadline=time.monotonic() + 60)
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            proxy.server_close()
            moto.terminate()


def create_bucket(port: int, *, deadline: float) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("PUT", "/lake")
            assert 200 == connection.getresponse().status
            return
        except ConnectionError:
            assert time.monotonic() < deadline, "moto_server does not answer"
            time.sleep(0.1)
        finally:
            connection.close()


@pytest.mark.slow
def test_one_writer_wins_each_version_on_s3_even_when_the_answer_is_lost(endpoint: str) -> None:
    """In a process of its own: the jars for S3 have to be there when its JVM starts."""
    if not (home() / "jars" / "spark-s3").exists():
        pytest.skip("the jars for a lake on S3 are not here: `make setup-s3` fetches them")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": endpoint}

    done = subprocess.run(
        [sys.executable, __file__], env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=500
    )

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
