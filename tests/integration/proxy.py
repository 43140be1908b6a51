"""A proxy before an S3 server, for what no healthy server does.

It is a process of its own: delta-rs keeps Python's lock while it asks S3, and a thread of ours would wait for that.
"""

import http.client
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.integration.s3 import ANSWER_S, S3Server

SLOW_S = 2.0
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
RST = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset, at once
CONTROL = "/-rule-"  # no bucket is called so
WRITING = ("PUT", "POST", "DELETE")


class Fault(StrEnum):
    """What happens to a request."""

    BUSY = auto()  # it is answered 503, and not handed on
    RESET = auto()  # the connection is reset, and it is not handed on
    LOST = auto()  # it is handed on and done; then the connection is reset, without an answer
    MISTOLD = auto()  # it is handed on and done, and answered 503
    SLOW = auto()  # its answer takes 2 s


@dataclass(frozen=True)
class Rule:
    """Which of the requests with these methods (none: all) and a path like `path` meet a fault.

    The one with the number `at`, from 1; with `every`, each so many after it too. `then`: what meets all requests with
    such a path that come after it, whatever they ask.
    """

    fault: Fault | None = None
    methods: tuple[str, ...] = ()
    path: str = ""
    at: int = 1
    every: int = 0
    then: Fault | None = None

    def counts(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and bool(re.search(self.path, path))

    def hits(self, number: int) -> bool:
        return number == self.at or (self.every > 0 and number > self.at and (number - self.at) % self.every == 0)


HEALTHY = Rule()


@dataclass
class Faults:
    """Which fault each request meets; `forget`: a header that is not handed on."""

    backend: str
    forget: str
    rule: Rule = HEALTHY
    counted: list[str] = field(default_factory=list)
    struck: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, rule: Rule) -> None:
        with self.lock:
            self.rule, self.counted, self.struck = rule, [], False

    def of(self, method: str, path: str) -> Fault | None:
        with self.lock:
            if self.struck and self.rule.then and re.search(self.rule.path, path):
                return self.rule.then
            if not self.rule.counts(method, path):
                return None
            self.counted.append(f"{method} {path}")
            hit = self.rule.hits(len(self.counted))
            self.struck |= hit
            return self.rule.fault if hit else None


@dataclass(frozen=True)
class FaultyS3(S3Server):
    """The server as it looks through the proxy."""

    def follow(self, rule: Rule) -> None:
        """Let requests from now on meet what the rule says, and count them anew."""
        assert self.request("PUT", CONTROL, json.dumps(asdict(rule)).encode())[0] == 200

    def counted(self) -> list[str]:
        """Give the requests that the rule has counted."""
        return list(json.loads(self.request("GET", CONTROL)[1]))


@contextmanager
def behind(s3: S3Server, rule: Rule = HEALTHY, *, forget: str = "") -> Iterator[FaultyS3]:
    """Give the server as it looks through a proxy with faults."""
    argv = [sys.executable, "-m", __name__, urlsplit(s3.endpoint).netloc, forget]
    with subprocess.Popen(argv, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            proxy = FaultyS3(f"http://127.0.0.1:{int(process.stdout.readline())}")
            proxy.follow(rule)
            yield proxy
        finally:
            process.kill()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        assert isinstance(self.server, _Server)
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == CONTROL:
            self._obey(faults, body)
        elif (fault := faults.of(self.command, self.path)) is Fault.RESET:
            self._reset()
        elif fault is Fault.BUSY:
            self._busy()
        else:
            self._hand_on(faults, body, fault)

    def _obey(self, faults: Faults, body: bytes) -> None:
        if body:
            facts: dict[str, Any] = json.loads(body)
            facts |= {name: Fault(facts[name]) for name in ("fault", "then") if facts.get(name)}
            faults.follow(Rule(**facts))
        self._answer(200, [], json.dumps(faults.counted).encode())

    def _hand_on(self, faults: Faults, body: bytes, fault: Fault | None) -> None:
        if fault is Fault.SLOW:
            time.sleep(SLOW_S)
        headers = {name: value for name, value in self.headers.items() if name.lower() != faults.forget}
        answer, content = self._ask(faults.backend, body, headers)
        if fault is Fault.LOST:
            self._reset()
        elif fault is Fault.MISTOLD:
            self._busy()
        else:
            self._answer(answer.status, answer.getheaders(), content)

    def _ask(self, backend: str, body: bytes, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        upstream = http.client.HTTPConnection(backend, timeout=ANSWER_S)
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            return answer, answer.read()
        finally:
            upstream.close()

    def _busy(self) -> None:
        self._answer(503, [("Content-Type", "application/xml")], BUSY)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = dict(headers).get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    faults: Faults

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # always a socket here
        """Close, without the FIN that would come before a reset."""
        request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is none of ours."""


def _serve(backend: str, forget: str) -> None:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.faults = Faults(backend, forget)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
