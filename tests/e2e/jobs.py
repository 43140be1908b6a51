"""The jobs on a mirror, without a process of their own."""

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from tests.e2e.world import World, warm_run
from tidemark_contract.argv import Job
from tidemark_jobs.copy import copy
from tidemark_jobs.erase.job import erase
from tidemark_jobs.run import Run
from tidemark_jobs.sync import sync_job
from tidemark_jobs.verify import verify

START = ("start", "--detach", "--checkpoint-interval", "1s")


class Jobs:
    """The jobs on one mirror, in a session that is warm."""

    def __init__(self, world: World, spark: SparkSession) -> None:
        self._world, self._spark = world, spark

    def run(self, name: str, *tables: str) -> Run:
        return warm_run(self._world.environment, self._spark, Job(name, "shop", tables=tables, timeout=180))

    def copy(self, *tables: str) -> None:
        copy(self.run("copy", *tables))

    def sync(self) -> int:
        """Publish a mark and give it."""
        [facts] = sync_job(self.run("sync"))
        return int(str(facts["mark"]))

    def erase(self, file: Path, *, dry_run: bool = False) -> dict[str, Any]:
        job = Job("erase", "shop", timeout=180, subject=str(file), dry_run=dry_run)
        return erase(warm_run(self._world.environment, self._spark, job))

    def proven(self, *tables: str) -> dict[str, int]:
        """Sync, verify, and give the rows of each table; all are equal."""
        list(sync_job(self.run("sync")))
        facts: Any = verify(self.run("verify", *tables))
        assert facts["equal"], facts
        return {proof["table"]: proof["rows"] for proof in facts["tables"]}
