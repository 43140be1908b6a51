"""A lock between the commands about one source on one machine; the kernel lets go of it when its holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidemark_contract.errors import LeaseTaken


@contextmanager
def command_lock(file: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock; LeaseTaken when another command still holds it after some seconds."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as stream:
        _acquire(stream.fileno(), file, time.monotonic() + wait_s)
        yield


def _acquire(descriptor: int, file: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LeaseTaken(f"{file} is held: another start or stop is at work; wait for its end") from None
            time.sleep(0.1)
        else:
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return
