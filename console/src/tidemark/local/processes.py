"""Processes on this machine that outlive the command which started them, found again by a word in their argv.

A pid in a file may be another process's after a reboot; a word that names a folder of ours can't be. So there are no
pid files.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE_S = 20.0
_PROC = Path("/proc")
_SPAWNED: list[subprocess.Popen[bytes]] = []


def mark(folder: Path, role: str) -> tuple[str, str]:
    """Give interpreter options that change nothing and name a Python process's folder and role."""
    return "-X", f"tidemark={folder.resolve()}:{role}"


def find(word: str) -> list[int]:
    """Give the pids of living processes with this argument, without ours."""
    return [pid for pid, command in _commands() if pid != os.getpid() and f" {word} " in f" {command} "]


def spawn(argv: Sequence[str], *, log: Path, environment: Mapping[str, str], stdin: str = "") -> int:
    """Start a process that outlives us, in a session of its own; its output is appended to the log. Give its pid.

    From here on `find` finds it: a process that is just beginning has no argv for some microseconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True, env=dict(environment)
        )
    _SPAWNED.append(process)  # a Popen that is forgotten complains that its process runs on
    if process.stdin:
        process.stdin.write(stdin.encode())
        process.stdin.close()
    while process.poll() is None and not dict(_commands()).get(process.pid):
        time.sleep(0.001)
    return process.pid


def end(word: str, *, first: signal.Signals = signal.SIGINT) -> bool:
    """End all that `find` finds: politely, then for certain; False when there was nothing."""
    found = find(word)
    _signal(found, first)
    deadline = time.monotonic() + GRACE_S
    while remaining := find(word):
        if time.monotonic() > deadline:
            _signal(remaining, signal.SIGKILL)
        time.sleep(0.05)
    return bool(found)


def kill(word: str) -> int:
    """Kill all that `find` finds at once, as a crash would; give their number."""
    found = find(word)
    _signal(found, signal.SIGKILL)
    return len(found)


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _commands() -> list[tuple[int, str]]:
    """List every process with its argv, joined by spaces; a zombie has none."""
    if not _PROC.is_dir():
        listing = subprocess.run(["ps", "-axwwo", "pid=,command="], capture_output=True, text=True, check=True)
        return [(int(pid), command) for pid, command in (line.split(None, 1) for line in listing.stdout.splitlines())]
    found = []
    for entry in _PROC.iterdir():
        with contextlib.suppress(ValueError, OSError):
            found.append((int(entry.name), (entry / "cmdline").read_text(errors="replace").replace("\0", " ")))
    return found


def python(folder: Path, role: str, *arguments: str) -> list[str]:
    """Give the argv of a Python process of ours that `find(mark(folder, role)[1])` finds."""
    return [sys.executable, *mark(folder, role), "-W", "ignore", "-u", *arguments]
