"""Processes that outlive the command that started them, found again by what stands in their argv.

A pid in a file may be another process's after a reboot; a mark in the argv can't be. So there are no pid files.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_GRACE_S = 5.0
_PROC = Path("/proc")


class Processes:
    """The processes of one folder: each carries the folder's digest and its role in its argv."""

    def __init__(self, folder: Path) -> None:
        digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:20]
        self._prefix = f"-Dtidemark.process={digest}."

    def mark(self, role: str) -> str:
        """Give the argument by which a process of this role is known."""
        return self._prefix + role

    def spawn(self, argv: Sequence[str], *, environment: Mapping[str, str], output: Path) -> int:
        """Start a process in a session of its own, its output appended to a file; return its pid."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        return os.posix_spawn(argv[0], list(argv), dict(environment), file_actions=actions, setsid=True)

    def find(self, role: str = "") -> list[int]:
        """Give the pids of the living processes of one role, or of all."""
        wanted = self.mark(role)
        return [pid for pid, words in _commands() if any(w == wanted or (not role and wanted in w) for w in words)]

    def end(self) -> None:
        """End all of them: politely, then, after some seconds, for certain."""
        deadline = time.monotonic() + _GRACE_S
        self._signal(signal.SIGTERM)
        while self.find():
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
            time.sleep(0.05)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.find():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _commands() -> list[tuple[int, list[str]]]:
    """List every process with its argv; one that has ended in between, or is a zombie, has none."""
    if not _PROC.is_dir():
        listing = subprocess.run(["ps", "-axwwo", "pid=,command="], capture_output=True, text=True, check=True)
        return [(int(pid), words) for pid, *words in map(str.split, listing.stdout.splitlines())]
    found = []
    for entry in _PROC.iterdir():
        with contextlib.suppress(ValueError, OSError):
            found.append((int(entry.name), (entry / "cmdline").read_text(errors="replace").split("\0")))
    return found
