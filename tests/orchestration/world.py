"""The stack that tests/orchestration/stack.py keeps, seen from Airflow's environment."""

import json
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from tests.present import present

REPOSITORY = Path(__file__).parents[2]
SPARK_PYTHON = REPOSITORY / ".tidemark" / "venv" / "spark" / "bin" / "python"
PATIENCE_S = 400.0


class World:
    """A shop, its stream and its copy, and what a worker of Airflow needs to work on them."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    @cached_property
    def environment(self) -> dict[str, str]:
        """Wait until the stack is made."""
        return {**self._answer(), "TIDEMARK_JOBS_PYTHON": str(SPARK_PYTHON)}

    @property
    def lake(self) -> Path:
        return Path(self.environment["TIDEMARK_LAKE"].removeprefix("file://"))

    def do(self, command: str) -> None:
        print(command, file=self._process.stdin, flush=True)
        assert {"done": command} == self._answer()

    def mart(self, name: str) -> dict[str, object]:
        """Give the facts of a mart's newest commit, and its rows as the log counts them."""
        newest = max((self.lake / "gold" / "shop" / name / "_delta_log").glob("*.json"))
        actions = [json.loads(line) for line in newest.read_text().splitlines()]
        rows = sum(json.loads(action["add"]["stats"])["numRecords"] for action in actions if "add" in action)
        committed = next(action["commitInfo"] for action in actions if "commitInfo" in action)
        return {**json.loads(committed["userMetadata"]), "rows": rows}

    def _answer(self) -> dict[str, str]:
        out = present(self._process.stdout)
        ready, _, _ = select.select([out], [], [], PATIENCE_S)
        line = out.readline() if ready else ""
        assert line, f"no answer from the stack: {self._log.read_text()[-3000:]}"
        return dict(json.loads(line))


@contextmanager
def made(*lake: str) -> Iterator[World]:
    """Make the stack, its lake on S3 if one is named; at the end nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="tidemark-world-") as folder, (Path(folder) / "log").open("w") as log:
        argv = [str(SPARK_PYTHON), "-W", "ignore", str(Path(__file__).with_name("stack.py")), f"{folder}/stack", *lake]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            try:
                yield World(process, Path(folder) / "log")
            finally:
                # Its stdin's end is its end; a kill would leave PostgreSQL and Flink behind.
                process.communicate(timeout=PATIENCE_S)
