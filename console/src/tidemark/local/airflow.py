"""An Airflow on this machine: its services under honcho, its database on the stack's PostgreSQL, all on loopback."""

import json
import secrets
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tidemark.local import processes
from tidemark.local.airflow_api import AirflowApi
from tidemark.local.home import home
from tidemark.local.ports import free_port
from tidemark.local.postgres import EmbeddedPostgres
from tidemark.output import CommandFailed, Failure
from tidemark_contract.errors import EXIT_FAILED, ConfigurationError

ROLE = "airflow"
USER = "admin"
PATIENCE_S = 300.0
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class LocalAirflow:
    """What runs in `folder`, found by the folder's name in its argv; `mirror` is the mirror's whole environment."""

    folder: Path
    server: EmbeddedPostgres
    mirror: Mapping[str, str]

    def start(self, say: Callable[[str], None]) -> AirflowApi:
        """Start it, and return when every one of its services says that it is healthy."""
        if not self.runs():
            say("its database")
            self._make()
            self._airflow("db", "migrate")
            self._import_pools()
            say("its services")
            self._spawn()
        return self._wait()

    def runs(self) -> bool:
        """Tell whether anything of it runs."""
        return bool(processes.find(self.word))

    def end(self) -> bool:
        """End all of it, tasks that run included; False when nothing ran."""
        return processes.end(self.word, first=signal.SIGTERM)

    def api(self) -> AirflowApi:
        """Give its REST API, with the login of the person at this machine."""
        return AirflowApi(f"http://127.0.0.1:{self._secrets()['port']}", USER, self.password())

    def password(self) -> str:
        """Give the password of `admin`."""
        return str(json.loads(self._passwords.read_text(encoding="utf-8"))[USER])

    @property
    def log(self) -> Path:
        """What its services say."""
        return self.folder / "services.log"

    @property
    def word(self) -> str:
        """What all of it has in its argv."""
        return processes.mark(self.folder, "airflow")[1]

    @property
    def _python(self) -> Path:
        python = home() / "venv" / "airflow" / "bin" / "python"
        if not python.exists():
            raise ConfigurationError(f"there is no Airflow environment at {python}: `make setup` makes one")
        return python

    @property
    def _passwords(self) -> Path:
        return self.folder / "passwords.json"

    @property
    def _address(self) -> Path:
        return self.folder / "database.url"

    def _database_url(self) -> str:
        url = self.server.url(ROLE, ROLE, self._secrets()["database"])
        return url.replace("postgresql://", "postgresql+psycopg2://")

    def _secrets(self) -> dict[str, str]:
        return dict(json.loads((self.folder / "secrets.json").read_text(encoding="utf-8")))

    def _make(self) -> None:
        """Make its keys and passwords, its role and its database; what is there already stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "secrets.json"
        made = self._secrets() if file.exists() else _new_secrets()
        _write_private(file, {**made, "port": str(free_port(int(made["port"])))})
        _write_text(self._address, self._database_url())
        if not self._passwords.exists():
            _write_private(self._passwords, {USER: secrets.token_urlsafe(12)})
        with psycopg.connect(self.server.superuser_url, autocommit=True) as connection:
            _make_database(connection, self._secrets()["database"])

    def _import_pools(self) -> None:
        file = self.folder / "pools.json"
        file.write_text(self._run("-m", "tidemark_orchestration", "pools"), encoding="utf-8")
        self._airflow("pools", "import", str(file))

    def _airflow(self, *words: str) -> str:
        return self._run("-m", "airflow", *words)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [str(self._python), *words], env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise _failed(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:].strip()}")
        return done.stdout

    def _spawn(self) -> None:
        procfile = home().parent / "orchestration" / "Procfile"
        argv = [str(self._python), *processes.mark(self.folder, "airflow"), "-m", "honcho", "-f", str(procfile)]
        processes.spawn([*argv, "start"], log=self.log, environment=self._environment())

    def _wait(self) -> AirflowApi:
        api, deadline = self.api(), time.monotonic() + PATIENCE_S
        while not api.healthy():
            if not self.runs():
                raise _failed(f"one of its services has ended, and with it all: see {self.log}")
            if time.monotonic() > deadline:
                raise _failed(f"it was not healthy after {PATIENCE_S:.0f} s: see {self.log}")
            time.sleep(_LOOK_EVERY_S)
        return api

    def _environment(self) -> dict[str, str]:
        """Give its settings, on top of the mirror's; nothing gets in of an Airflow that this shell is set up for."""
        made = self._secrets()
        address = f"http://127.0.0.1:{made['port']}"
        inherited = {name: value for name, value in self.mirror.items() if not name.startswith("AIRFLOW")}
        return {
            **inherited,
            "TIDEMARK_JOBS_PYTHON": str(home() / "venv" / "spark" / "bin" / "python"),
            "TIDEMARK_AIRFLOW": self.word.partition("=")[2],
            "AIRFLOW_PYTHON": shlex.quote(str(self._python)),
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__EXECUTOR": "tidemark_orchestration.local_executor.MaskedLocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DAGS_FOLDER": str(home().parent / "orchestration" / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__FERNET_KEY": made["fernet"],
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords),
            # By a command: the address itself is overwritten in a task, and one of them cleans the database.
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": shlex.join(["cat", str(self._address)]),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": made["port"],
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__API__SECRET_KEY": made["jwt"],
            "AIRFLOW__API_AUTH__JWT_SECRET": made["jwt"],
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        }


def _new_secrets() -> dict[str, str]:
    return {
        "database": secrets.token_urlsafe(18),
        "jwt": secrets.token_urlsafe(64),
        # What cryptography's Fernet takes for a key: 32 bytes in URL-safe base64, with its padding.
        "fernet": secrets.token_urlsafe(32) + "=",
        "port": "0",
    }


def _write_private(file: Path, facts: Mapping[str, str]) -> None:
    """Write it as JSON; see `_write_text`."""
    _write_text(file, json.dumps(facts))


def _write_text(file: Path, text: str) -> None:
    """Write it where only our user reads it, whole or not at all."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _make_database(connection: "psycopg.Connection[tuple[object, ...]]", password: str) -> None:
    role, wanted = sql.Identifier(ROLE), sql.Literal(password)
    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, wanted))
    if not connection.execute("SELECT FROM pg_database WHERE datname = %s", (ROLE,)).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))


def _failed(message: str) -> CommandFailed:
    return CommandFailed(Failure("AirflowFailed", f"Airflow: {message}", EXIT_FAILED))
