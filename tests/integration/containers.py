"""PostgreSQL and S3 in containers, where a Docker engine answers."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.integration.s3 import S3Server

ENGINE = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
LOCAL_ENGINE = ENGINE.startswith("unix://")
BASE = "python:3.11-slim-bookworm"
POSTGRES = ("postgres:16", "postgres:17")
S3_IMAGE = f"tidemark-test-s3:{version('moto')}"
S3_PORT = 5000
S3_DOCKERFILE = f"""
FROM {BASE}
RUN pip install --no-cache-dir 'moto[s3]=={version("moto")}' flask flask-cors
CMD ["python3", "-m", "moto.server", "-H", "0.0.0.0", "-p", "{S3_PORT}"]
"""
METRICS, METRICS_OURS = "victoriametrics/victoria-metrics:v1.112.0", "tidemark-metrics:test"
METRICS_DOCKERFILE = Path(__file__).parents[1] / "compose" / "metrics" / "Dockerfile"
CAPTURE = "-c wal_level=logical -c max_prepared_transactions=64 -c max_wal_senders=16 -c max_replication_slots=16"

# Our fixtures end what they start, and Ryuk, who would do it for them, is one more image to be had.
testcontainers_config.ryuk_disabled = True
if LOCAL_ENGINE and testcontainers_config.connection_mode_override is None:
    # Some virtual machines have a /.dockerenv, from which testcontainers concludes that it is in a container itself.
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    testcontainers_config.tc_host_override = testcontainers_config.tc_host_override or "127.0.0.1"


@cache
def unavailable() -> str:
    """Say why nothing can run in containers here; nothing if it can."""
    if LOCAL_ENGINE:
        # docker's own attempt would leave its socket open, which is an error in tests.
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(ENGINE.removeprefix("unix://"))
            except OSError as error:
                return f"no Docker engine answers at {ENGINE}: {error.strerror}"
    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except DockerException as error:
        return f"no Docker engine answers: {error}"
    try:
        for image in (BASE, *POSTGRES):
            try:
                client.images.get(image)
            except ImageNotFound:
                client.images.pull(image)
    except DockerException as error:
        return f"the image {image} is not here, and no registry gives it: {error}"
    finally:
        client.close()
    return ""


def built(tag: str, dockerfile: str) -> str:
    """Build an image, the first time, and give its tag; DockerException."""
    client = docker.from_env(timeout=600)
    try:
        client.images.get(tag)
    except ImageNotFound:
        client.images.build(fileobj=BytesIO(dockerfile.encode()), tag=tag, rm=True)
    finally:
        client.close()
    return tag


def build_s3_image() -> None:
    """Build the image of moto's server, the first time."""
    built(S3_IMAGE, S3_DOCKERFILE)


def metrics_image() -> str:
    """Give the official image of VictoriaMetrics if it is here, else one that Debian's packages make."""
    client = docker.from_env(timeout=600)
    try:
        client.images.get(METRICS)
    except ImageNotFound:
        return built(METRICS_OURS, METRICS_DOCKERFILE.read_text())
    finally:
        client.close()
    return METRICS


@contextmanager
def s3_container() -> Iterator[S3Server]:
    """Run moto's server in a container."""
    build_s3_image()
    with DockerContainer(S3_IMAGE).with_exposed_ports(S3_PORT) as container:
        server = S3Server(f"http://{container.get_container_host_ip()}:{container.get_exposed_port(S3_PORT)}")
        server.make_bucket()
        yield server


@contextmanager
def postgres_container(image: str) -> Iterator[str]:
    """Run a PostgreSQL that can be captured; give its superuser's URL."""
    postgres = PostgresContainer(image, username="postgres", password="super/secret", dbname="postgres", driver=None)
    with postgres.with_command(f"postgres {CAPTURE}"):
        yield postgres.get_connection_url()
