"""Prometheus itself, of Debian, in a container: whether a rule is one, when it fires, and what a query finds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import docker
import yaml
from docker.errors import ContainerError, DockerException

from tests.integration.containers import built
from tests.kubernetes.cluster import wait_for

IMAGE = "tidemark-test-prometheus:bookworm"
DOCKERFILE = """
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*
"""
FOLDER = "/etc/tidemark"


def build() -> str:
    """Build the image, the first time; give why there is none, if none can be made."""
    try:
        built(IMAGE, DOCKERFILE)
    except DockerException as error:
        return f"Prometheus has no image here, and none can be made: {error}"
    return ""


def promtool(folder: Path, *words: str) -> str:
    """Run it on the files of a folder; give what it says, and fail if it does."""
    client = docker.from_env(timeout=600)
    mount = {str(folder): {"bind": FOLDER, "mode": "ro"}}
    try:
        said = client.containers.run(
            IMAGE, ["promtool", *words], volumes=mount, working_dir=FOLDER, remove=True, stderr=True
        )
    except ContainerError as error:
        raise AssertionError(error.stderr.decode()) from error
    finally:
        client.close()
    return bytes(said).decode()


@dataclass(frozen=True)
class Prometheus:
    """A server that runs, at a port of this machine."""

    port: int

    def ready(self) -> bool:
        """While it reads what it has on disk it listens, and says 503."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str) -> Any:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=120) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[dict[str, Any]]:
        return list(self.ask(f"query?query={quote(expression)}")["result"])

    def names(self) -> set[str]:
        """Give the names of all that it has ever read."""
        return set(self.ask("label/__name__/values"))

    def firing(self) -> set[tuple[str, str]]:
        """Give the alerts that fire, each with its stream or DAG."""
        alerts = [each["labels"] for each in self.ask("alerts")["alerts"] if each["state"] == "firing"]
        return {(each["alertname"], each.get("tidemark_io_source") or each.get("dag_id", "")) for each in alerts}


@contextmanager
def prometheus(folder: Path, port: int, settings: dict[str, Any]) -> Iterator[Prometheus]:
    """Run a server on this machine's network, with a folder of ours; its settings are written there."""
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    words = ["prometheus", f"--config.file={FOLDER}/prometheus.yml", "--storage.tsdb.path=/tmp/data"]
    mount = {str(folder): {"bind": FOLDER, "mode": "ro"}}
    with running(IMAGE, [*words, f"--web.listen-address=127.0.0.1:{port}"], network_mode="host", volumes=mount):
        server = Prometheus(port)
        wait_for(server.ready, "an answer of Prometheus", lambda: "")
        yield server


@contextmanager
def running(image: str, words: list[str], **options: Any) -> Iterator[None]:
    """Run a container meanwhile."""
    client = docker.from_env(timeout=600)
    container = client.containers.run(image, words, detach=True, **options)
    try:
        yield
    finally:
        container.remove(force=True, v=True)
        client.close()
