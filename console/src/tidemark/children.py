"""Processes that a command starts and waits for: their log lines, their results, and a clean end at Ctrl-C."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

GRACE_S = 20.0
KEPT_LINES = 500  # a Java stack trace below the Python error that tells more

Event = Mapping[str, Any]


@dataclass
class Ended:
    """How a child ended: its exit code, the failure that it logged, and the last lines that were no JSON."""

    code: int
    failed: Event | None = None
    tail: list[str] = field(default_factory=list)


class Child:
    """One child in a process group of its own, so that Ctrl-C reaches it through us and only once.

    Its stderr is read as JSON log lines and kept in a file; its stdout goes to the caller line by line, or straight
    through when `through` is true.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        on_event: Callable[[Event], None] = lambda _: None,
        through: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the child; `log` gets everything that it writes to stderr."""
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._on_event = on_event
        self._failed: Event | None = None
        self._tail: deque[str] = deque(maxlen=KEPT_LINES)
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=None if through else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def lines(self) -> Iterator[str]:
        """Give the lines of its stdout as they come, without line ends."""
        stdout = self.process.stdout
        for line in stdout or ():
            yield line.rstrip("\n")

    def wait(self) -> Ended:
        """Wait for its end."""
        code = self.process.wait()
        self._reader.join(GRACE_S)
        return Ended(code, self._failed, list(self._tail))

    def end(self, grace_s: float = GRACE_S) -> None:
        """End it and all that it started: first by SIGINT, as Ctrl-C would, then with less patience."""
        for sign, seconds in ((signal.SIGINT, grace_s), (signal.SIGTERM, grace_s / 4)):
            if self.process.poll() is None:
                self.process.send_signal(sign)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(seconds)
        if self.process.poll() is None:
            # With its group: a JVM would live on without its Python for a while.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(GRACE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def _read_stderr(self) -> None:
        stderr: IO[str] | None = self.process.stderr
        with self._log.open("a") as log:
            for line in stderr or ():
                log.write(line)
                log.flush()
                self._take(line.rstrip("\n"))

    def _take(self, line: str) -> None:
        event = read_event(line)
        if event is None:
            self._tail.append(line)
        elif event.get("level") == "error" and "error" in event:
            self._failed = event  # the last word of a program that gives up: the kind of error, and the message
        else:
            self._on_event(event)


def pass_interrupts_on() -> None:
    """Let children hear SIGINT even if we were started to ignore it, as a script's commands in the background are.

    What is ignored stays so in a child; what has a handler, if only one that does nothing, does not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


def read_event(line: str) -> Event | None:
    """Read one JSON log line; None for anything else."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and name_of(event) else None


def name_of(event: Event) -> str:
    """Say what happened: jobs name their events, the stream writes sentences."""
    return str(event.get("event") or event.get("message") or "")
