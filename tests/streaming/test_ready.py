"""Whether a pod is ready, asked of what answers as Flink's REST interface does."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tidemark_contract.layout import Layout
from tidemark_streaming.ready import why_not
from tidemark_streaming.rest import Rest
from tidemark_streaming.status import Status

JOB = "00000000000000000000000000000003"


class Answers(BaseHTTPRequestHandler):
    known: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        found = self.known.get(self.path.partition("?")[0])
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def flink() -> Iterator[tuple[Rest, dict[str, Any]]]:
    """A JobManager whose job runs and has just completed a checkpoint; the answers can be changed."""
    job = f"/jobs/{JOB}"
    Answers.known = {
        "/jobs": {"jobs": [{"id": JOB, "status": "RUNNING"}]},
        job: {
            "name": "tidemark shop, incarnation 3",
            "state": "RUNNING",
            "vertices": [{"id": "v", "status": "RUNNING"}],
        },
        f"{job}/metrics": [{"id": "numRestarts", "value": "1"}],
        f"{job}/vertices/v/metrics": [{"id": "0.Source__postgres.lagBytes", "value": "7"}],
        f"{job}/exceptions": {"exceptionHistory": {"entries": [{"stacktrace": "java.io.IOException: gone"}]}},
        f"{job}/checkpoints": {"latest": {"completed": {"id": 9, "latest_ack_timestamp": time.time() * 1000}}},
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Rest(f"http://127.0.0.1:{server.server_port}"), Answers.known
        server.shutdown()
        thread.join()


def test_it_is_ready_when_the_job_runs_and_lands(flink: tuple[Rest, dict[str, Any]]) -> None:
    assert "" == why_not(flink[0], 60)


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        ("/jobs", {"jobs": []}, "there is no job yet"),
        (f"/jobs/{JOB}", {"state": "FAILED", "vertices": []}, "the job is FAILED: java.io.IOException: gone"),
        (f"/jobs/{JOB}", {"state": "RUNNING", "vertices": [{"status": "SCHEDULED"}]}, "the job is SCHEDULED"),
        (f"/jobs/{JOB}/checkpoints", {"latest": {"completed": None}}, "no checkpoint has completed yet"),
        (
            f"/jobs/{JOB}/checkpoints",
            {"latest": {"completed": {"id": 9, "latest_ack_timestamp": 0}}},
            "the newest checkpoint is",
        ),
    ],
)
def test_if_not_it_says_why(flink: tuple[Rest, dict[str, Any]], path: str, answer: Any, why: str) -> None:
    flink[1][path] = answer

    assert why_not(flink[0], 60).startswith(why)


def test_a_jobmanager_that_does_not_answer_is_not_ready() -> None:
    assert "refused" in why_not(Rest("http://127.0.0.1:9"), 60)


def test_from_afar_its_status_is_what_it_is_on_the_same_machine(flink: tuple[Rest, dict[str, Any]]) -> None:
    status = Status.afar("shop", flink[0], Layout("s3://lake", "shop"))

    assert ("running", 3, "s3://lake/bronze/shop/_landing/000003") == (status.state, status.incarnation, status.landing)
    assert (JOB, 9, 1, 7) == (status.job, status.checkpoint, status.restarts, status.lag_bytes)


def test_one_that_does_not_answer_is_down_and_one_without_a_job_is_about_to_begin(
    flink: tuple[Rest, dict[str, Any]],
) -> None:
    flink[1]["/jobs"] = {"jobs": []}

    assert "restarting" == Status.afar("shop", flink[0], Layout("s3://lake", "shop")).state
    assert "down" == Status.afar("shop", Rest("http://127.0.0.1:9"), Layout("s3://lake", "shop")).state
