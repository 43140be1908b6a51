"""A proxy before an S3 server, for what no healthy server does."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.integration.s3 import S3Server


@dataclass
class Faults:
    """`forget`: a header that is not handed on; `lose`: objects whose first PUT is done, and not answered."""

    backend: str
    forget: str = ""
    lose: set[str] = field(default_factory=set)


class Proxy(BaseHTTPRequestHandler):
    """Hand requests on, with the faults of the server's `faults`."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        faults: Faults = self.server.faults  # type: ignore[attr-defined]  # `behind` has put them there
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != faults.forget}
        upstream = http.client.HTTPConnection(faults.backend, timeout=30)
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if self.command == "PUT" and (lost := {name for name in faults.lose if self.path.endswith(name)}):
            faults.lose -= lost
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


@contextmanager
def behind(s3: S3Server, *, forget: str = "", lose: str = "") -> Iterator[S3Server]:
    """Give the server as it looks through a proxy with faults."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.daemon_threads = True
    proxy.faults = Faults(urlsplit(s3.endpoint).netloc, forget, {lose} - {""})  # type: ignore[attr-defined]
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield S3Server(f"http://127.0.0.1:{proxy.server_port}")
    finally:
        proxy.shutdown()
        proxy.server_close()
