"""A bucket on a real S3 server: conditional PUT, multipart uploads and policies, in memory."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.ports import free_port

BUCKET = "lake"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-central-1"}
START_S, ANSWER_S = 300.0, 120.0


@dataclass(frozen=True)
class S3Server:
    """One server, and what a process needs in its environment to reach it."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings of whoever runs tidemark; the machine's own AWS_* must not shine through."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**clean, **KEYS, "AWS_ENDPOINT_URL": self.endpoint}

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask without a signature, which this server does not demand; give status and content."""
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=ANSWER_S)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def make_bucket(self, name: str = BUCKET) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                assert self.request("PUT", f"/{name}")[0] == 200
                return
            except (ConnectionError, http.client.HTTPException, TimeoutError):
                assert time.monotonic() < deadline, f"{self.endpoint} does not answer"
                time.sleep(0.1)

    def forbid_writing(self, name: str) -> None:
        denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{name}/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]}).encode()
        assert self.request("PUT", f"/{name}?policy", policy)[0] in (200, 204)

    def listing(self, bucket: str, prefix: str) -> bytes:
        """Give S3's own list of what lies below a prefix."""
        status, content = self.request("GET", f"/{bucket}?list-type=2&prefix={prefix}/")
        assert status == 200
        return content


@contextmanager
def moto_server(folder: Path) -> Iterator[S3Server]:
    """Run moto's server as a process of ours."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "moto.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = S3Server(f"http://127.0.0.1:{port}")
            server.make_bucket()
            yield server
        finally:
            process.kill()
