"""The image of Airflow: who it is, what is in it, and what is not."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker import DockerClient

ROOT = Path(__file__).parents[2]
SCRIPTS = ("entrypoint.sh", "own-folders.sh")


@pytest.fixture(scope="module")
def engine(image: str) -> Iterator[DockerClient]:
    client = docker.from_env(timeout=120)
    yield client
    client.close()


def run(engine: DockerClient, image: str, *words: str, **how: object) -> str:
    return str(engine.containers.run(image, list(words), remove=True, **how).decode())


def test_the_entry_points_have_their_run_bit_in_git() -> None:
    """A COPY keeps it, and the classic builder can give none."""
    words = ["git", "ls-files", "--stage", *(f"infra/images/airflow/{name}" for name in SCRIPTS)]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    assert ["100755", "100755"] == [line.split()[0] for line in listed]


@pytest.mark.integration
@pytest.mark.slow
def test_it_runs_an_airflow_command_as_nobody_special(engine: DockerClient, image: str) -> None:
    locked = (ROOT / "orchestration" / "requirements.lock").read_text()
    version = run(engine, image, "version").strip()

    assert f"apache-airflow=={version} " in locked
    assert "50000 0" == run(engine, image, "sh", "-c", "echo $(id -u) $(id -g)").strip()
    # With any uid of group 0, as an administrator of a cluster may give it.
    assert version == run(engine, image, "version", user="12345:0").strip()
    # As Airflow's own image is asked, and as the probes of its chart do.
    assert version == run(engine, image, "airflow", "version").strip()
    assert version == run(engine, image, "sh", "-c", "exec /entrypoint airflow version").strip()


@pytest.mark.integration
@pytest.mark.slow
def test_all_of_the_lock_is_in_it_with_our_packages_and_the_dag_file(engine: DockerClient, image: str) -> None:
    listed = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()))"
    found = {word.lower().replace("_", "-") for word in run(engine, image, "python", "-c", listed).split()}
    lock = (ROOT / "orchestration" / "requirements.lock").read_text().splitlines()
    wanted = {line.split()[0] for line in lock if line[:1].isalnum() and ";" not in line}

    assert len(wanted) > 150
    assert set() == {word.replace("_", "-").replace(".", "-") for word in wanted} - {w.replace(".", "-") for w in found}
    assert {"tidemark-contract", "tidemark-orchestration"} <= {word.partition("==")[0] for word in found}
    assert "/opt/tidemark/dags/tidemark_dags.py" in run(engine, image, "sh", "-c", "ls /opt/tidemark/dags/*")
    run(engine, image, "python", "-c", "import airflow.providers.celery.executors.celery_executor")


@pytest.mark.integration
@pytest.mark.slow
def test_nothing_of_the_builder_stays_in_it(engine: DockerClient, image: str) -> None:
    """Neither where packages came from, nor a checkout, nor the tool that put them there."""
    files = "find / -xdev ( -name pip.conf -o -name uv.toml -o -name .netrc -o -name .git -o -path /build ) -print"
    settings = engine.images.get(image).attrs["Config"]["Env"]
    names = {line.partition("=")[0] for line in settings}

    assert "" == run(engine, image, *files.split(), entrypoint="", user="0")
    assert not [name for name in names if name.endswith(("_INDEX_URL", "_PASSWORD", "_TOKEN", "_PROXY"))]
    assert not [line for line in engine.images.get(image).history() if "index-url" in line["CreatedBy"]]
