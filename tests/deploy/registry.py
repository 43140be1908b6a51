"""A registry of images on loopback: what ECR answers to a push and a pull, and tells AWS of each tag.

As the distribution specification has it: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

PUT = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>blobs/uploads|blobs|manifests)/(?P<name>[^/]*)$")
BLOCK = 1 << 20


class Registry(ThreadingHTTPServer):
    """Blobs and manifests are files by their digest; a tag is a file with one."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.tell: Callable[[str, str, str], object] = lambda *_: None
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def place(self, *names: str) -> Path:
        file = self.folder.joinpath(*(name.replace(":", "_").replace("/", "_") for name in names))
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def tagged(self, repository: str, tag: str, manifest: str) -> None:
        """Somebody has pushed a tag."""
        self.told.append(f"{repository}:{tag}")
        self.tell(repository, tag, manifest)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Registry

    def do_GET(self) -> None:
        self._give(body=True)

    def do_HEAD(self) -> None:
        self._give(body=False)

    def do_POST(self) -> None:
        """Begin an upload."""
        self._drain()
        upload = uuid4().hex
        self.server.place("uploads", upload).touch()
        repository = self.path.removeprefix("/v2/").partition("/blobs/")[0]
        self._say(HTTPStatus.ACCEPTED, Location=f"/v2/{repository}/blobs/uploads/{upload}", Range="0-0")

    def do_PATCH(self) -> None:
        """Take a part of it."""
        file = self.server.place("uploads", urlsplit(self.path).path.rpartition("/")[2])
        with file.open("ab") as out:
            self._copy(out)
        self._say(HTTPStatus.ACCEPTED, Location=urlsplit(self.path).path, Range=f"0-{file.stat().st_size - 1}")

    def do_PUT(self) -> None:
        """End an upload, or take a manifest and its tag."""
        asked = urlsplit(self.path)
        match = PUT.match(asked.path)
        assert match, self.path
        if match["kind"] == "blobs/uploads":
            file, digest = self.server.place("uploads", match["name"]), parse_qs(asked.query)["digest"][0]
            with file.open("ab") as out:
                self._copy(out)
            file.replace(self.server.place("blobs", digest))
        else:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            self.server.place("blobs", digest).write_bytes(content)
            self.server.place("kinds", digest).write_text(self.headers["Content-Type"])
            self.server.place("tags", match["repository"], match["name"]).write_text(digest)
            self.server.tagged(match["repository"], match["name"], content.decode())
        self._say(HTTPStatus.CREATED, Location=asked.path, **{"Docker-Content-Digest": digest})

    def _give(self, *, body: bool) -> None:
        if self.path.rstrip("/") == "/v2":
            return self._say(HTTPStatus.OK)
        match = PUT.match(self.path)
        assert match, self.path
        tag = self.server.place("tags", match["repository"], match["name"])
        digest = tag.read_text() if match["kind"] == "manifests" and tag.exists() else match["name"]
        file, kind = self.server.place("blobs", digest), self.server.place("kinds", digest)
        if not file.exists():
            return self._say(HTTPStatus.NOT_FOUND)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind.read_text() if kind.exists() else "application/octet-stream")
        self.send_header("Content-Length", str(file.stat().st_size))
        self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if body:
            with file.open("rb") as content:
                shutil.copyfileobj(content, self.wfile, BLOCK)
        return None

    def _copy(self, out: Any) -> None:
        """Take what is sent, whether its length is said or it comes in chunks."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            self._take(int(self.headers.get("Content-Length") or 0), out)
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            self._take(size, out)
            self.rfile.readline()
        self.rfile.readline()

    def _take(self, left: int, out: Any) -> None:
        while left:
            block = self.rfile.read(min(left, BLOCK))
            assert block, "it was cut off"
            out.write(block)
            left -= len(block)

    def _drain(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, status: HTTPStatus, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """Serve one."""
    server = Registry(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
