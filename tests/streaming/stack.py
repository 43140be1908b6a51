"""The real thing, driven as a person drives it: `python -m tidemark_streaming`, a PostgreSQL and a Flink."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.streaming.landed import Landed
from tidemark_streaming.processes import Processes


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, the object on stdout, the lines on stderr."""

    code: int
    out: dict[str, Any]
    logs: list[dict[str, Any]]

    @property
    def last_words(self) -> str:
        return str(self.logs[-1]["message"])


@dataclass(frozen=True)
class Stack:
    """One installation: a state folder, a lake, and the URL of a source."""

    folder: Path
    url: str

    @property
    def state(self) -> Path:
        # Flink, the stores and Python have to mean the same folder by it.
        return self.folder / "its state"

    def write_specs(self, source: str, columns: str = "[{name: n, type: integer}]") -> None:
        """Write what a start reads: the stream itself takes what the publication sends."""
        folder = self.folder / "specs" / source
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "source.yaml").write_text(f"source: {source}")
        (folder / "public.numbers.yaml").write_text(f"table: public.numbers\nkey: [n]\ncolumns: {columns}")

    def environment(self, **more: str) -> dict[str, str]:
        ours = {
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_LAKE": f"file://{self.folder}/lake",
            "TIDEMARK_STATE": str(self.state),
            "TIDEMARK_SOURCE_SHOP_URL": self.url,
        }
        return dict(os.environ) | ours | more

    def command(self, *words: str, source: str = "shop") -> list[str]:
        return [sys.executable, "-m", "tidemark_streaming", *words, "--source", source]

    def run(self, *words: str, source: str = "shop", **environment: str) -> Ended:
        ended = subprocess.run(
            self.command(*words, source=source),
            check=False,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
        )
        logs = [json.loads(line) for line in ended.stderr.splitlines()]
        return Ended(ended.returncode, json.loads(ended.stdout or "{}"), logs)

    def start(self, *words: str) -> dict[str, Any]:
        ended = self.run("start", "--detach", "--checkpoint-interval", "500ms", *words)
        assert ended.code == 0, ended.logs
        return ended.out

    def status(self) -> dict[str, Any]:
        ended = self.run("status")
        assert ended.code == 0, ended.logs
        return ended.out

    def landed(self) -> Landed:
        return Landed(str(self.status()["landing"]))

    def pids(self, role: str = "", source: str = "shop") -> list[int]:
        return Processes(self.state / "flink" / source).find(role)
