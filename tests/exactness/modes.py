"""What happens to the mirror while the cases are played: nothing, or one fault over and over.

- terminated: the server's process that feeds the stream is ended after a second, and again and again
- killed: Flink is killed (-9) after two seconds or so, again and again, and after each section a sync, wherever it is
- twice: after each section everything that the stream has delivered comes again
"""

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.exactness.world import START, Exactness
from tidemark.local import processes

MODE = os.environ.get("TIDEMARK_MODE", "plain")
# The server reads a transaction of millions of rows to its end before it sends the first: who was always ended sooner
# would never have it.
RARER = 1.2
TERMINATE = "SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots WHERE active"


@contextmanager
def disturbed(world: Exactness, mode: str = MODE) -> Iterator[None]:
    """Disturb the mirror for the length of a block, after which its stream runs; at least one fault has happened."""
    if mode not in FAULTS:
        yield
        return
    fault, pause_s = FAULTS[mode]
    over, chance = threading.Event(), random.Random(world.seed)
    faults: list[str] = []

    def disturb() -> None:
        while not over.wait(pause_s * (0.5 + chance.random()) * RARER ** len(faults)):
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


def kill_a_sync(world: Exactness) -> None:
    """Start a sync, and kill it at a random moment; another one has to end what it began."""
    with world.syncing():
        time.sleep(random.Random(world.seed).random() * 20)


def deliver_again(world: Exactness) -> None:
    """Let all that the stream has landed since it started land again, as of a stream that has lost its checkpoints."""
    world.must("stop")
    layout = world.control.layout
    landing, claims = Path(layout.landing.removeprefix("file://")), Path(layout.claims.removeprefix("file://"))
    newest = max(landing.iterdir())
    again = f"{int(newest.name) + 1:06d}"
    (claims / "incarnations" / again).write_text("{}")
    shutil.copytree(newest, landing / again, ignore=shutil.ignore_patterns(".*", "_*"))
    assert any((landing / again).iterdir()), "nothing comes again"
    shutil.rmtree(world.folder / "state" / "checkpoints")
    world.must(*START)


FAULTS: dict[str, tuple[Callable[[Exactness], None], float]] = {"terminated": (_terminate, 1.0), "killed": (_kill, 2.0)}
"""The fault, and the seconds between two of them, more or less."""
