"""A PostgreSQL server of our own on this machine, from the binaries that `make setup` unpacks."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

from tidemark.local.ports import free_port
from tidemark_contract.errors import ConfigurationError

SUPERUSER = "postgres"
SETTINGS: Mapping[str, str] = {
    "wal_level": "logical",
    "max_prepared_transactions": "64",
    "max_wal_senders": "16",
    "max_replication_slots": "16",
}
SECONDS = 60

StopMode = Literal["smart", "fast", "immediate"]


class ServerNotStarted(ConfigurationError):
    """The server did not come up; the message ends with what it said."""


class EmbeddedPostgres:
    """Keep one server over one data directory, on loopback only, and stop it at the end of the `with` block.

    The data directory is made when it does not exist and used again when it does. A server that runs on it already,
    started by another process, is adopted: whoever stops it, stops it.
    """

    def __init__(
        self, home: Path, data: Path, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Name the binaries, the data directory, the port (None: the last one, or a free one) and more settings."""
        self.data = data.absolute()
        self._home = home.absolute()
        self._asked_port = port
        self._port: int | None = None
        self._settings = dict(settings or {})
        self._user = _server_user()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Name the port that the server listens on."""
        if self._port is None:
            raise ServerNotStarted(f"{self.data}: the server has not been started")
        return self._port

    @property
    def password_file(self) -> Path:
        """Name the file with the superuser's password: beside the data, readable by its owner only."""
        return self.data.with_name(f"{self.data.name}.password")

    @property
    def log(self) -> Path:
        """Name the server's log."""
        return self.data / "server.log"

    @property
    def superuser_url(self) -> str:
        """Build the superuser's URL."""
        return self.url(SUPERUSER, "postgres", self.password_file.read_text())

    def url(self, user: str, dbname: str, password: str | None = None) -> str:
        """Build the URL of a role and a database."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{quote(user, safe='')}{secret}@127.0.0.1:{self.port}/{quote(dbname, safe='')}"

    def running(self) -> bool:
        """Tell whether a server runs on the data directory."""
        return self.data.exists() and self._pg_ctl("status").returncode == 0

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        self._place()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        if self.running():
            self._adopt()
            return
        self._port = self._asked_port or self._free_port()
        self._write_settings()
        done = self._pg_ctl("start", "-l", str(self.log.resolve()))
        if done.returncode != 0:
            port, self._port = self._port, None
            said = self._said()
            if "Address already in use" in said:
                raise ServerNotStarted(
                    f"port {port} on 127.0.0.1 is in use by another process: stop that one or choose another port"
                )
            raise ServerNotStarted(f"PostgreSQL in {self.data} did not start: {done.stdout.strip()}\n{said}")

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server if it runs; `immediate` leaves recovery to the next start."""
        if self.running():
            done = self._pg_ctl("stop", "-m", mode)
            if done.returncode != 0 and self.running():  # else it ended by itself, or somebody else was quicker
                raise ServerNotStarted(f"PostgreSQL in {self.data} did not stop: {done.stdout.strip()}\n{self._said()}")

    def crash(self) -> None:
        """Kill the server and all its processes at once, as a power failure would."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        # Stopped first, it starts no process between the look and the kill.
        os.kill(postmaster, signal.SIGSTOP)
        family = [postmaster, *_children(postmaster)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while any(_alive(pid) for pid in family):
            if time.monotonic() > deadline:
                raise ServerNotStarted(f"PostgreSQL in {self.data} survived SIGKILL for {SECONDS} s")
            time.sleep(0.01)
        # Where nobody reaps orphans (a container's first process) the pid stays taken, and the file would be believed.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def restart(self) -> None:
        """Stop the server in order and start it again, on the same port."""
        self.stop()
        self._asked_port = self._asked_port or self._port
        self.start()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop("immediate")
        if self.data.is_symlink():
            shutil.rmtree(self.data.resolve().parent)
            self.data.unlink()
        elif self.data.exists():
            shutil.rmtree(self.data)
        self.password_file.unlink(missing_ok=True)

    def _place(self) -> None:
        """Find a place that the server's user can enter: PostgreSQL refuses root, and a root's folders refuse others.

        A checkout under /root, or pytest's private folders, are such places: there the data stands in a folder under
        the temporary directory, behind a link, and the binaries are copied next to it.
        """
        if not (self._home / "bin" / "postgres").exists():
            raise ServerNotStarted(f"{self._home} holds no PostgreSQL server: `make setup` puts one there")
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if self._user is None:
            return
        if self.data.is_symlink() and not self.data.exists():
            self.data.unlink()  # what it led to was cleaned away
        closed_home = not _enterable(self._home, self._user)
        if not self.data.exists() and (closed_home or not _enterable(self.data.parent, self._user)):
            outside = Path(tempfile.mkdtemp(prefix="tidemark-postgres-"))
            outside.chmod(0o755)
            (outside / "data").mkdir()
            self.data.symlink_to(outside / "data")
        if closed_home:
            copy = self.data.resolve().with_name("home")
            if not copy.exists():
                shutil.copytree(self._home, copy.with_name("home.new"), symlinks=True, dirs_exist_ok=True)
                copy.with_name("home.new").rename(copy)
            self._home = copy

    def _create(self) -> None:
        password = secrets.token_urlsafe(24)
        place = self.data.resolve()
        # Under another name until it is whole: an initdb that was killed leaves nothing that looks like a database.
        fresh = place.with_name(f"{place.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        pwfile = fresh.with_name(f"{place.name}.pwfile")
        for path in (pwfile, self.password_file):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_text(password)
        for path in (fresh, pwfile):
            self._give(path)
        try:
            done = self._run(
                "initdb", "-D", str(fresh), "-U", SUPERUSER, f"--pwfile={pwfile}",
                "--auth=scram-sha-256", "--locale=C", "--encoding=UTF8",
            )  # fmt: skip
        finally:
            pwfile.unlink()
        if done.returncode != 0:
            shutil.rmtree(fresh)
            raise ServerNotStarted(f"initdb could not make {self.data}: {done.stdout.strip()}")
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("include_if_exists = 'tidemark.conf'\n")
        if place.exists():
            place.rmdir()
        fresh.rename(place)

    def _write_settings(self) -> None:
        # TCP on loopback is enough: a socket's path would have to be short, and to be cleaned away after a crash.
        fixed = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(self._port)}
        lines = [f"{name} = {_quoted(value)}\n" for name, value in {**SETTINGS, **self._settings, **fixed}.items()]
        conf = self.data / "tidemark.conf"
        conf.write_text("".join(lines))
        self._give(conf)
        self.log.touch()
        self.log.write_text("")
        self._give(self.log)

    def _adopt(self) -> None:
        running = int((self.data / "postmaster.pid").read_text().splitlines()[3])
        if self._asked_port not in (None, running):
            raise ServerNotStarted(f"{self.data}: a server runs there on port {running}, not on {self._asked_port}")
        self._port = running

    def _free_port(self) -> int:
        """Find the port used last, while it is free: those who follow the server keep their URL."""
        conf = self.data / "tidemark.conf"
        lines = conf.read_text().splitlines() if conf.exists() else []
        last = [int(line.split("'")[1]) for line in lines if line.startswith("port = ")]
        if port := free_port(*last):
            return port
        raise ServerNotStarted("no port is free on 127.0.0.1")

    def _give(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _said(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]) if self.log.exists() else ""

    def _pg_ctl(self, action: str, *more: str) -> subprocess.CompletedProcess[str]:
        wait: Sequence[str] = () if action == "status" else ("-w", "-t", str(SECONDS))
        return self._run("pg_ctl", action, "-D", str(self.data.resolve()), *wait, *more)

    def _run(self, binary: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The caller's PG* variables and locale are not the server's; its working directory may be closed to its user.
        # macOS: a server without LC_ALL becomes multithreaded while it starts, and gives up.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        as_user: dict[str, Any] = {}
        if self._user is not None:
            as_user = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return subprocess.run(
            [str(self._home / "bin" / binary), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env={**environment, "LC_ALL": "C"},
            umask=0o077,
            check=False,
            **as_user,
        )


def _server_user() -> pwd.struct_passwd | None:
    """Choose whom the server runs as when we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in (SUPERUSER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerNotStarted("PostgreSQL refuses to run as root, and this machine has no user postgres or nobody")


def _enterable(path: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether a user can get into a folder, through all that are above it."""

    def allows(folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == user.pw_uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == user.pw_gid else 0o001))

    real = path.resolve()
    return all(allows(folder) for folder in (real, *real.parents))


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], stdout=subprocess.PIPE, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for parent, child in pairs if int(parent) == pid]


def _alive(pid: int) -> bool:
    """Tell whether a process still runs: a zombie does not."""
    state = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
