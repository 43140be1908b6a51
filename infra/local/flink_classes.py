"""Write the archives from which local Flink JVMs take their classes.

They hold what a cluster and its client load that run one small job: what every pipeline does, but for its source.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tidemark_contract.errors import RetryableError
from tidemark_streaming.cluster import Cluster
from tidemark_streaming.flink_settings import CLIENT, JOBMANAGER, TASKMANAGER
from tidemark_streaming.home import Home
from tidemark_streaming.options import PipelineOptions

ROLES = (JOBMANAGER, TASKMANAGER, CLIENT)
PATIENCE_S = 120
QUIET = "-Xlog:cds=off -Xlog:cds+dynamic=off"


def submit(file: str) -> None:
    """Write generated rows to landing files, and wait for the end."""
    from pyflink.table import StreamTableEnvironment

    from tidemark_streaming.pipeline import create_landing, environment_of
    from tidemark_streaming.postgres import COLUMNS

    options = PipelineOptions.read(Path(file))
    tables = StreamTableEnvironment.create(environment_of(options))
    create_landing(tables, options.landing)
    columns = ", ".join(f"`{name}` {type_}" for name, type_ in COLUMNS.items())
    tables.execute_sql(
        f"CREATE TEMPORARY TABLE made ({columns}) WITH ('connector' = 'datagen', 'number-of-rows' = '9')"
    )
    tables.execute_sql("INSERT INTO landing SELECT * FROM made").wait()


def new(folder: Path, role: str) -> Path:
    """Not beside the jars: a blank in the way there would end the option."""
    return folder / f"{role}.jsa"


def as_it_ends(folder: Path, role: str) -> str:
    return f"-XX:ArchiveClassesAtExit={new(folder, role)} {QUIET}"


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)


def is_up(cluster: Cluster) -> bool:
    with suppress(RetryableError):
        return bool(cluster.rest().get("/overview")["taskmanagers"])
    return False


def work(cluster: Cluster, folder: Path) -> None:
    """Run a cluster and a job, and end them; each JVM writes its archive as it ends."""
    cluster.write_configuration({})
    for role in (JOBMANAGER, TASKMANAGER):
        options = {"JAVA_TOOL_OPTIONS": as_it_ends(folder, role)}
        replace(cluster, environment={**cluster.environment, **options}).start_process(role)
    wait_until(lambda: is_up(cluster))
    file = folder / "options.json"
    places = ((folder / name).as_uri() for name in ("landing", "checkpoints"))
    PipelineOptions("none", *places, connector={}, checkpoint_interval="1s", jobmanager=cluster.jobmanager).write(file)
    environment = cluster.client_environment()
    environment["JVM_ARGS"] += " " + as_it_ends(folder, CLIENT)
    subprocess.run([sys.executable, __file__, str(file)], env=environment, check=True, stdin=subprocess.DEVNULL)
    for pid in cluster.processes.find():
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not cluster.processes.find())


def main() -> None:
    home = Home.find()
    for role in ROLES:
        home.archive(role).unlink(missing_ok=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        cluster = Cluster(folder / "flink", home, dict(os.environ))
        try:
            work(cluster, folder)
        finally:
            cluster.stop()
        for role in ROLES:
            keep(new(folder, role), home.archive(role))


def keep(made: Path, archive: Path) -> None:
    if not made.exists():
        print(f"setup: this Java writes no {archive.name}; Flink starts without one, which takes seconds more")
        return
    beside = archive.with_suffix(".new")
    shutil.move(made, beside)  # from another disk, maybe: only the last step is done at once
    beside.rename(archive)


if __name__ == "__main__":
    submit(sys.argv[1]) if len(sys.argv) > 1 else main()
