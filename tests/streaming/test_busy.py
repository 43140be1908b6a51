"""A JobManager that is too busy to answer for a while, asked of what answers as Flink's REST interface does."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tidemark_streaming.jobs import Job
from tidemark_streaming.rest import FlinkBusy, FlinkUnavailable, Rest, unless_busy
from tidemark_streaming.savepoints import stop_with_savepoint
from tidemark_streaming.waiting import for_connection

METRICS = [{"id": f"0.Source__postgres.{name}", "value": "1"} for name in ("numRecordsIn", "durableLsn")]
KNOWN: dict[str, Any] = {
    "/jobs/j": {"state": "RUNNING", "vertices": [{"id": "v", "status": "RUNNING"}]},
    "/jobs/j/vertices/v/metrics": METRICS,
    "/jobs/j/checkpoints": {},
    "/jobs/j/stop": {"request-id": "r"},
    "/jobs/j/savepoints/r": {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/savepoint"}},
}


class Busy(ThreadingHTTPServer):
    """The first that ask for a thing get no answer before all is over."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.known, self.asked, self.over = dict(KNOWN), Counter[str](), threading.Event()

    def is_busy_with(self, path: str) -> bool:
        self.asked[path] += 1
        return self.asked[path] == 1


class _Answer(BaseHTTPRequestHandler):
    server: Busy

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.server.is_busy_with(path):
            self.server.over.wait()
            return
        self._say(path)

    def do_POST(self) -> None:
        self._say(self.path)

    def _say(self, path: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.known[path]).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Busy]:
    monkeypatch.setattr("tidemark_streaming.rest._TIMEOUT_S", 0.5)
    with Busy() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


class Hurried(Rest):
    """Has half a second for what it reads; what is begun by it, is waited for."""

    def post(self, path: str, body: dict[str, object]) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tidemark_streaming.rest._TIMEOUT_S", 120.0)
            return super().post(path, body)


def job(server: Busy) -> Job:
    return Job("j", Hurried(f"http://127.0.0.1:{server.server_port}"))


def test_a_start_waits_for_it(busy: Busy) -> None:
    for_connection(job(busy), timeout_s=120)

    assert busy.asked["/jobs/j"] > 1
    assert busy.asked["/jobs/j/vertices/v/metrics"] > 1


def test_a_stop_gets_its_savepoint(busy: Busy) -> None:
    stopped = threading.Timer(1, lambda: busy.known.update({"/jobs/j": {"state": "FINISHED", "vertices": []}}))
    stopped.start()

    assert Path("/savepoint") == stop_with_savepoint(job(busy), Path("/"), timeout_s=120)
    stopped.join()
    assert busy.asked["/jobs/j/savepoints/r"] > 1


def test_one_that_refuses_or_is_gone_is_not_taken_for_a_busy_one(busy: Busy) -> None:
    gone = Rest("http://127.0.0.1:9")

    with pytest.raises(FlinkUnavailable) as caught:
        unless_busy(lambda: gone.get("/jobs"))
    assert not isinstance(caught.value, FlinkBusy)
