import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import docker
import pytest
from docker.errors import DockerException, ImageNotFound

from tests.compose.platform import SERVICES, Platform, make
from tests.integration.containers import unavailable

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
IMAGE = "tidemark-airflow:test"
# The second is what a machine without a registry may have; it does as well here.
REDIS = ("redis:7.2", "redis:7")
PATIENCE_S, PREPARED_S = 300.0, 400.0
# The first answers for those that have a check that costs more.
AT_FIRST = ("api-server", "execution", "worker", "flower")


def _redis() -> str:
    client = docker.from_env(timeout=60)
    try:
        for image in REDIS:
            try:
                client.images.get(image)
                return image
            except ImageNotFound:
                continue
        client.images.pull(REDIS[0])
        return REDIS[0]
    except DockerException as error:
        pytest.skip(f"none of the images {REDIS} is here, and no registry gives one: {error}")
    finally:
        client.close()


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


@pytest.fixture(scope="session")
def platform(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """All of it, healthy; at the end nothing of it is left."""
    project = f"tidemark-test-{uuid4().hex[:8]}"
    images = {"TIDEMARK_AIRFLOW_IMAGE": image, "TIDEMARK_REDIS_IMAGE": _redis()}
    made = make(tmp_path_factory.mktemp("compose"), project, TIDEMARK_WORKER_CONCURRENCY="2", **images)
    shutil.copy(HERE / "dags" / "look_around.py", made.home / "dags")
    shutil.copy(HERE / "dags" / "broken.py.txt", made.home / "dags" / "broken.py")
    try:
        made.compose("up", "--detach", "--quiet-pull", timeout=PREPARED_S)
        wait_until_well(made, AT_FIRST)
        yield made
    finally:
        made.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


def wait_until_well(platform: Platform, names: Sequence[str] = SERVICES) -> None:
    deadline = time.monotonic() + PATIENCE_S
    for name in names:
        while (outcome := platform.check(name)).code:
            said = platform.compose("logs", "--tail", "30", name).said
            assert time.monotonic() < deadline, f"{name} is not well: {outcome.said}\n{said}"
            time.sleep(1)


@pytest.fixture
def small(image: str, tmp_path: Path) -> Iterator[Platform]:
    """Give a project of its own, of which only what is asked for runs."""
    images = {"TIDEMARK_AIRFLOW_IMAGE": image, "TIDEMARK_REDIS_IMAGE": _redis()}
    made = make(tmp_path / "place", f"tidemark-test-{uuid4().hex[:8]}", **images)
    try:
        yield made
    finally:
        made.compose("--profile", "metrics", "down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


def prepared(platform: Platform, more: str = "true") -> str:
    """Prepare it as every start does, and then run something; give what that said."""
    words = ("sh", "-c", f"python -m tidemark_orchestration.prepare >&2 && {more}")
    return platform.compose("run", "--rm", "-T", "init", *words, timeout=PREPARED_S).said
