"""infra/compose, run in a folder and under a name of its own."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from infra.compose import prepare
from tests.ports import free_port
from tidemark.local.airflow_api import AirflowApi

ROOT = Path(__file__).parents[2]
FILE = ROOT / "infra" / "compose" / "compose.yaml"
COMPOSE = str(Path(sys.executable).with_name("docker-compose"))
AIRFLOWS = ("api-server", "execution", "scheduler", "dag-processor", "triggerer", "worker", "flower")
SERVICES = ("postgres", "redis", *AIRFLOWS)
SECRETS = ("PASSWORD", "LOGIN", "KEY", "SECRET")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said; one that took too long is what Docker takes it for: a failure."""

    code: int
    said: str


@dataclass(frozen=True)
class Platform:
    """One project of Compose; `overrides` are variables that win over its .env."""

    home: Path
    project: str
    overrides: dict[str, str]

    @property
    def settings(self) -> dict[str, str]:
        """What stands in .env now: a new key changes it."""
        return prepare.read(self.home / ".env")

    @property
    def secrets(self) -> list[str]:
        """What nobody may read who has no business with it."""
        found = [value for name, value in self.settings.items() if name.endswith(SECRETS)]
        return [value.removeprefix("admin:") for value in found]

    def compose(self, *words: str, timeout: float | None = None, check: bool = True) -> Outcome:
        return self._run([*self._compose, "--profile", "flower", *words], timeout, check)

    def make(self, target: str, file: Path | None = None, check: bool = True) -> Outcome:
        """Run a target of the Makefile on this project."""
        words = [target, f"COMPOSE={shlex.join(self._compose)}", f"COMPOSED={self.home}", f"FILE={file or ''}"]
        return self._run(["make", "-C", str(ROOT), *words], None, check)

    @property
    def _compose(self) -> list[str]:
        return [COMPOSE, "-p", self.project, "--env-file", str(self.home / ".env"), "-f", str(FILE)]

    def _run(self, argv: list[str], timeout: float | None, check: bool) -> Outcome:
        own = ("TIDEMARK_", "AIRFLOW_", "COMPOSE_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        try:
            done = subprocess.run(
                argv,
                env={**clean, **self.overrides},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(-1, f"no end after {timeout} s")
        assert not check or done.returncode == 0, done.stderr[-3000:]
        return Outcome(done.returncode, done.stdout or done.stderr)

    @cached_property
    def config(self) -> dict[str, Any]:
        """What Compose makes of the file."""
        return dict(json.loads(self.compose("config", "--format", "json").said))

    def service(self, name: str) -> dict[str, Any]:
        return dict(self.config["services"][name])

    def health_command(self, name: str) -> tuple[list[str], float]:
        """Give what Docker runs to learn how a service is, and for how long it waits."""
        check = self.service(name)["healthcheck"]
        kind, *words = [word.replace("$$", "$") for word in check["test"]]
        return words if kind == "CMD" else ["sh", "-c", *words], _seconds(check["timeout"])

    def run_in(self, name: str, words: Sequence[str], timeout: float | None = None) -> Outcome:
        return self.compose("exec", "-T", name, *words, timeout=timeout, check=False)

    def check(self, name: str) -> Outcome:
        """Run a service's health check where it runs."""
        words, timeout = self.health_command(name)
        return self.run_in(name, words, timeout)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to all that a service is.

        Docker starts a container no more that it has sent one; but only it reaches the first process, which the
        servers are themselves. Airflow's stand behind dumb-init.
        """
        if name in AIRFLOWS:
            self.run_in(name, ["sh", "-c", f"kill -{signal} -1"])
            return
        with self.container(name) as container:
            container.kill(f"SIG{signal}")

    @contextmanager
    def container(self, name: str) -> Iterator[Container]:
        client = docker.from_env(timeout=60)
        try:
            yield client.containers.get(f"{self.project}-{name}-1")
        finally:
            client.close()

    @property
    def metrics(self) -> str:
        """Where they can be asked for on this host."""
        return f"http://127.0.0.1:{self.overrides['TIDEMARK_METRICS_PORT']}"

    @property
    def api(self) -> AirflowApi:
        port, password = self.overrides["TIDEMARK_AIRFLOW_PORT"], self.settings["TIDEMARK_ADMIN_PASSWORD"]
        return AirflowApi(f"http://127.0.0.1:{port}", "admin", password)


def make(folder: Path, project: str, **overrides: str) -> Platform:
    """Make the folder, with a source in its specs; nothing runs yet."""
    prepare.prepare(folder)
    source = folder / "specs" / "shop"
    source.mkdir(exist_ok=True)
    (source / "source.yaml").write_text("source: shop\n")
    (source / "public.orders.yaml").write_text(
        "table: public.orders\nkey: [id]\ncolumns: [{name: id, type: integer, nullable: false}]\n"
    )
    ports = {f"TIDEMARK_{name}_PORT": str(free_port()) for name in ("AIRFLOW", "FLOWER", "METRICS")}
    return Platform(folder, project, {**ports, **overrides})


def _seconds(duration: str) -> float:
    """Read Compose's `1m0s`."""
    minutes, _, seconds = duration.rpartition("m")
    return 60.0 * int(minutes or 0) + float(seconds.removesuffix("s") or 0)
