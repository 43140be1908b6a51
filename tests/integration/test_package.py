"""What `make package` has put together runs on a Spark that is not ours: by spark-submit, on a standalone cluster."""

import json
import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark
import pytest

from tests.integration.mirror import Mirror
from tests.integration.places import EMBEDDED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.parametrize("mirror", [EMBEDDED], indirect=True),
]

ROOT = Path(__file__).parents[2]
# As on EMR: Spark and what it needs to read S3 are there, Delta and ours are not.
SPARK = Path(pyspark.__file__).parent
S3A = ",".join(str(jar) for jar in sorted((ROOT / ".tidemark/jars/spark-s3").glob("*.jar")))
PATIENCE_S = 120


@dataclass(frozen=True)
class Package:
    """The package in its folder, and its environment unpacked beside it, as a cluster does for a driver."""

    folder: Path

    @property
    def unpacked(self) -> Path:
        return self.folder / "unpacked" / "environment"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("package") / "made"
    argv: list[str | Path] = ["infra/images/package.sh", folder, Path(sys.executable).resolve()]
    subprocess.run(argv, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    made = Package(folder)
    with tarfile.open(folder / "environment.tar.gz") as archive:
        archive.extractall(made.unpacked, filter="fully_trusted")
    return made


@dataclass(frozen=True)
class Standalone:
    """A Spark cluster of one master and one worker, and where its executors work."""

    master: str
    work: Path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    folder = tmp_path_factory.mktemp("standalone")
    with (
        _daemon(folder / "master.log", "master.Master", "--port", "0", "--webui-port", "0") as says,
        _daemon(
            folder / "worker.log", "worker.Worker", "--webui-port", "0", "--work-dir", str(folder / "work"),
            "--cores", "2", "--memory", "1g", master := says(r"Starting Spark master at (\S+)\n"),
        ) as worker_says,
    ):  # fmt: skip
        worker_says(r"(Successfully registered with master)")
        yield Standalone(master, folder / "work")


@contextmanager
def _daemon(log: Path, name: str, *words: str) -> Iterator["Says"]:
    argv = [str(SPARK / "bin/spark-class"), f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", *words]
    environment = {**os.environ, "SPARK_HOME": str(SPARK), "SPARK_LOCAL_IP": "127.0.0.1"}
    with log.open("wb") as out, subprocess.Popen(argv, env=environment, stdout=out, stderr=out) as process:
        try:
            yield Says(log)
        finally:
            process.kill()


@dataclass(frozen=True)
class Says:
    """Waits for a word in a log."""

    log: Path

    def __call__(self, pattern: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.log.read_text(errors="replace"))):
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.2)
        return found[1]


def test_spark_submit_copies_tables_with_it_and_with_nothing_else_of_ours(
    mirror: Mirror, package: Package, cluster: Standalone
) -> None:
    mirror.must("discover", "--name", "shop")
    mirror.must("init")
    done = submit(mirror, package, cluster, "copy", "--source", "shop")

    assert 0 == done.returncode, (done.stdout + done.stderr)[-4000:]
    assert 305 == json.loads(done.stdout.splitlines()[-1])["rows"]
    assert list(cluster.work.glob("app-*/*/environment/bin/python")), "no executor had the archive"


def test_it_refuses_what_is_wrong_with_the_exit_code_of_every_job(
    mirror: Mirror, package: Package, cluster: Standalone
) -> None:
    done = submit(mirror, package, cluster, "copy", "--source", "depot")

    assert 78 == done.returncode, (done.stdout + done.stderr)[-4000:]
    assert "depot" in done.stdout + done.stderr


def submit(mirror: Mirror, package: Package, cluster: Standalone, *words: str) -> "subprocess.CompletedProcess[str]":
    """By a spark-submit that has Spark's own class path, and no package of ours."""
    jars = ",".join([*(str(jar) for jar in sorted((package.folder / "jars").glob("*.jar"))), S3A])
    argv = [
        str(SPARK / "bin/spark-submit"), "--master", cluster.master, "--deploy-mode", "client",
        "--archives", f"{package.folder / 'environment.tar.gz'}#environment", "--jars", jars,
        "--executor-memory", "512m",
        "--conf", "spark.driver.host=127.0.0.1",
        str(package.folder / "submit.py"), *words,
    ]  # fmt: skip
    environment = {
        **mirror.environment,
        "PATH": os.environ["PATH"],
        "SPARK_HOME": str(SPARK),
        "PYSPARK_PYTHON": "./environment/bin/python",
        "PYSPARK_DRIVER_PYTHON": str(package.unpacked / "bin/python"),
    }
    environment.pop("PYTHONPATH", None)
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=600)


def test_nothing_of_this_machine_is_in_it(mirror: Mirror, package: Package) -> None:
    names = {file.name.split("-")[0] for file in package.unpacked.rglob("*.dist-info")}
    texts = [
        *package.unpacked.glob("*.cfg"),
        *package.unpacked.rglob("direct_url.json"),
        *package.unpacked.rglob("RECORD"),
    ]

    assert {"tidemark_contract", "tidemark_source", "tidemark_jobs", "deltalake", "psycopg"} <= names
    assert not {"pyspark", "py4j", "pytest"} & names
    assert [] == [file for file in texts if str(ROOT) in file.read_text()]
    assert ["python"] == [file.name for file in (package.unpacked / "bin").iterdir()]
