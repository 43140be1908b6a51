"""What goes on beside the cases while they are played: nothing, or one fault over and over."""

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tests.exactness.world import START, Exactness
from tidemark.local import processes

MODE = os.environ.get("TIDEMARK_MODE", "plain")
TERMINATE = "SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots WHERE active"


@contextmanager
def disturbed(world: Exactness, mode: str = MODE) -> Iterator[None]:
    """Disturb the mirror for the length of a block, after which its stream runs; at least one fault has happened."""
    if mode == "plain":
        yield
        return
    fault, pause_s = FAULTS[mode]
    over, chance, faults = threading.Event(), random.Random(world.seed), []

    def disturb() -> None:
        while not over.wait(pause_s * (0.5 + chance.random())):
            fault(world)
            faults.append(mode)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert faults, f"nothing was {mode}"


def _terminate(world: Exactness) -> None:
    """End the server's process that feeds the stream, as an administrator or a lost connection does."""
    with psycopg.connect(world.server.superuser_url, autocommit=True) as connection:
        connection.execute(TERMINATE)


def _kill(world: Exactness) -> None:
    """Kill -9 all of Flink, and start it."""
    processes.kill(f"-Djava.io.tmpdir={world.folder / 'state' / 'flink' / 'shop' / 'tmp'}")
    world.must(*START)


FAULTS: dict[str, tuple[Callable[[Exactness], None], float]] = {"terminated": (_terminate, 1.0), "killed": (_kill, 2.0)}
"""The fault, and the seconds between two of them, more or less."""
