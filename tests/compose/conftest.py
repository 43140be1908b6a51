from pathlib import Path

import docker
import pytest

from tests.integration.containers import unavailable

ROOT = Path(__file__).parents[2]
IMAGE = "tidemark-airflow:test"


@pytest.fixture(scope="session")
def image() -> str:
    """Build the image, or find that it is as it was."""
    if why := unavailable():
        pytest.skip(why)
    client = docker.from_env(timeout=600)
    try:
        client.images.build(path=str(ROOT), dockerfile="infra/images/airflow/Dockerfile", tag=IMAGE, rm=True)
    finally:
        client.close()
    return IMAGE
