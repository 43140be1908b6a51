"""The demo's stack in one folder: PostgreSQL with the shop, its load, the stream, the continuous sync."""

import json
import os
import re
import shlex
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tidemark.demo.shop import Shop, make_shop
from tidemark.jobs import INTERPRETER_FLAGS
from tidemark.local import processes
from tidemark.local.airflow import LocalAirflow
from tidemark.local.home import home
from tidemark.local.postgres import EmbeddedPostgres
from tidemark.mirror import Mirror
from tidemark.output import CommandFailed
from tidemark.stream import call
from tidemark_contract.argv import Job
from tidemark_contract.errors import ConfigurationError, TidemarkError

SOURCE = "shop"
MAJOR = "17"
LOAD, SYNC = "load", "sync"


@dataclass(frozen=True)
class Stack:
    """Everything below `folder`; what runs is found by the folder's name in its argv."""

    folder: Path
    port: int | None = None

    @classmethod
    def of_demo(cls, port: int | None = None) -> "Stack":
        """Give the stack that demo, up and down share."""
        return cls(home() / "demo", port)

    @cached_property
    def server(self) -> EmbeddedPostgres:
        """The PostgreSQL server, started or not."""
        return EmbeddedPostgres((home() / "postgres" / MAJOR).resolve(), self.folder / "postgres", self.port)

    @property
    def airflow(self) -> LocalAirflow:
        """The Airflow that drives the mirror, started or not."""
        return LocalAirflow(self.folder / "airflow", self.server, self.environment())

    @property
    def env_file(self) -> Path:
        """A file for `source`: the settings with which `tidemark` works on this stack by hand."""
        return self.folder / "env"

    @property
    def logs(self) -> Path:
        """Where what runs in the background writes."""
        return self.folder / "state" / "logs"

    def make(self, scale: float) -> Shop:
        """Start a server and fill it with the shop; the settings go to `env_file`."""
        self.server.start()
        shop = make_shop(self.server, scale, self.folder / "tpch")
        shutil.rmtree(self.folder / "tpch")
        self._write_env(shop)
        return shop

    def start(self) -> None:
        """Start the server that `make` has filled; the settings follow it to another port."""
        self.server.start()
        text = self.env_file.read_text(encoding="utf-8")
        self.env_file.write_text(re.sub(r"@127\.0\.0\.1:\d+", f"@127.0.0.1:{self.server.port}", text), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """Read the settings back, on top of this process's environment; ConfigurationError when there are none."""
        try:
            text = self.env_file.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self.folder} holds no mirror: `tidemark up` or `tidemark demo` makes one"
            ) from error
        settings = dict(shlex.split(line)[1].split("=", 1) for line in text.splitlines() if line.startswith("export "))
        return {**os.environ, **settings}

    def mirror(self) -> Mirror:
        """Give the mirror of the shop, with settings from the file and not from this process's environment."""
        return Mirror.open(SOURCE, self.environment())

    def start_load(self, seed: int) -> None:
        """Let the live load run in the background; its counts go to load.log."""
        wanted = {"url": self.environment()[f"TIDEMARK_SOURCE_{SOURCE.upper()}_ADMIN_URL"], "seed": seed}
        argv = processes.python(self.folder, LOAD, "-m", "tidemark.demo.load")
        processes.spawn(argv, log=self.logs / "load.log", environment=os.environ, stdin=json.dumps(wanted) + "\n")

    def start_sync(self, pause_s: float) -> None:
        """Let `sync --continuous` run in the background; published marks go to sync.log."""
        job = Job("sync", SOURCE, continuous=True, pause_s=pause_s)
        argv = processes.python(self.folder, SYNC, *INTERPRETER_FLAGS, "-m", "tidemark_jobs", *job.argv())
        log = self.logs / "sync.log"
        log.unlink(missing_ok=True)  # one run's words in one file
        processes.spawn(argv, log=log, environment=self.environment())

    def end_sync(self) -> None:
        """End the continuous sync, if it runs."""
        processes.end(self._word(SYNC))

    def runs(self, role: str) -> bool:
        """Tell whether the load or the continuous sync runs."""
        return bool(processes.find(self._word(role)))

    def kill_stream(self) -> int:
        """Kill -9 the stream's processes; give their number."""
        return processes.kill(self._stream_word)

    def web_ui(self) -> str | None:
        """Give the address of Flink's pages, None while the stream does not answer."""
        try:
            answer = call(self.mirror(), "status")
        except (TidemarkError, CommandFailed):
            return None
        return answer.get("web_ui")

    def keep(self) -> None:
        """Remember that this stack is to stay up: the next demo asks before it begins from nothing."""
        (self.folder / "up").touch()

    def is_up(self) -> bool:
        """Tell whether the stack is to stay up, and does."""
        return (self.folder / "up").exists() and self.server.running()

    def check_not_up(self) -> None:
        """Raise when a demo would take away a mirror that is kept running."""
        if self.is_up():
            raise ConfigurationError(
                f"a mirror is kept running in {self.folder}, and the demo would begin there from nothing: "
                "`tidemark down` (make down) ends it first"
            )

    def end(self) -> list[str]:
        """End everything that runs, whoever started it, and say what it was."""
        ended = [role for role in (LOAD, SYNC) if processes.end(self._word(role))]
        if self.env_file.exists() and self.airflow.end():
            ended.append("Airflow")
        if processes.end(self._stream_word, first=signal.SIGTERM):
            ended.append("stream")
        if self.server.running():
            self.server.stop()
            ended.append("PostgreSQL")
        (self.folder / "up").unlink(missing_ok=True)
        return ended

    def remove(self) -> None:
        """End everything and delete the folder."""
        self.end()
        self.server.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _word(self, role: str) -> str:
        return processes.mark(self.folder, role)[1]

    @property
    def _stream_word(self) -> str:
        # Both of Flink's processes have it in their argv; no editor or pager that a person has open there has.
        return f"-Djava.io.tmpdir={self.folder / 'state' / 'flink' / SOURCE / 'tmp'}"

    def _write_env(self, shop: Shop) -> None:
        settings: Mapping[str, str] = {
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_LAKE": (self.folder / "lake").as_uri(),
            "TIDEMARK_STATE": str(self.folder / "state"),
            f"TIDEMARK_SOURCE_{SOURCE.upper()}_URL": shop.capture_url,
            f"TIDEMARK_SOURCE_{SOURCE.upper()}_ADMIN_URL": shop.owner_url,
        }
        self.env_file.touch(mode=0o600)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
        self.env_file.write_text("".join(lines), encoding="utf-8")
