"""A lease keeps two syncs of one source apart; a dead owner loses it.

A lease is a row of numbered objects, each created only if absent: whoever creates number n+1 after n has run out (or
was given back) holds it. How old an object is, the store's own clock says: those of two machines may differ by hours.
The number is a fencing token, but what really fences a sync that woke up late is the version of its Delta
transactions: this only saves work.
"""

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tidemark_contract.errors import LakeUnavailable, LeaseTaken
from tidemark_contract.layout import Layout
from tidemark_jobs import storage

LEASE_S = 60.0
_FOLDER = "leases"


@dataclass(frozen=True)
class Holding:
    """What a lease's object says: who holds it, and for how many seconds from when it was written; 0 gives it back."""

    holder: str
    seconds: float


@dataclass
class Lease:
    """A held lease; `lost` is set when its renewal found it taken over."""

    layout: Layout
    name: str
    number: int
    holder: str
    lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise LeaseTaken if somebody else holds the lease by now."""
        if self.lost.is_set():
            raise LeaseTaken(f"the {self.name} lease of {self.layout.source} was taken over by another run")

    def renew(self, seconds: float = LEASE_S) -> None:
        """Hold the lease for another while; zero seconds give it back."""
        if not _create(self.layout, self.name, self.number + 1, self.holder, seconds):
            # One of ours may stand there, when the store has taken it and then did not answer for long.
            after = _read(self.layout, self.name, self.number + 1)
            if after is None or after.holder != self.holder:
                self.lost.set()
                return
        self.number += 1  # ours already, should the store not answer now
        storage.delete(self.layout.claims, _object(self.name, self.number - 1))


@contextmanager
def lease(layout: Layout, name: str) -> Iterator[Lease]:
    """Hold the named lease of a source for the length of a block; LeaseTaken says who has it."""
    held = _acquire(layout, name)
    done = threading.Event()
    renewer = threading.Thread(target=_renew_until, args=(held, done), name=f"lease-{name}", daemon=True)
    renewer.start()
    try:
        yield held
    finally:
        done.set()
        renewer.join()
        if not held.lost.is_set():
            with suppress(LakeUnavailable):  # it runs out by itself, and what was done under it counts
                held.renew(0)


def _acquire(layout: Layout, name: str) -> Lease:
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4()}"
    number, newest = _newest(layout, name)
    if newest and not _died_here(newest.holder) and (left := newest.seconds - _age_s(layout, name, number)) > 0:
        raise LeaseTaken(
            f"another {name} of {layout.source} is running ({newest.holder}); its lease ends in {left:.0f} s "
            "unless renewed"
        )
    if not _create(layout, name, number + 1, holder, LEASE_S):
        raise LeaseTaken(f"another {name} of {layout.source} started at the same moment")
    if newest:
        storage.delete(layout.claims, _object(name, number))
    return Lease(layout, name, number + 1, holder)


def _age_s(layout: Layout, name: str, number: int) -> float:
    """Give the seconds since an object of a lease was written, by the store's clock; 0 when it is gone: it was renewed.

    What the store takes for now, an object says that is written now.
    """
    probe = f"{_FOLDER}/now-{uuid.uuid4()}"
    storage.create(layout.claims, probe, probe.encode())
    now, then = (storage.written_at(layout.claims, each) for each in (probe, _object(name, number)))
    storage.delete(layout.claims, probe)
    return (now - then).total_seconds() if now and then else 0.0


def _died_here(holder: str) -> bool:
    """Tell whether the holder was a process of this machine that is gone: nobody waits for one that was killed.

    Were it wrong, because two containers call themselves the same, the fence would still keep the two apart.
    """
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _renew_until(held: Lease, done: threading.Event) -> None:
    while not done.wait(LEASE_S / 3) and not held.lost.is_set():
        with suppress(LakeUnavailable):  # for a moment, maybe: the next renewal is soon
            held.renew()


def _newest(layout: Layout, name: str) -> tuple[int, Holding | None]:
    prefix = f"{_FOLDER}/{name}/"
    while numbers := [
        int(o.name.removeprefix(prefix)) for o in storage.list_objects(layout.claims) if o.name.startswith(prefix)
    ]:
        # Renewed between listing and reading: the object is gone because a newer one stands.
        if newest := _read(layout, name, max(numbers)):
            return max(numbers), newest
    return 0, None


def _read(layout: Layout, name: str, number: int) -> Holding | None:
    content = storage.read(layout.claims, _object(name, number))
    return Holding(**json.loads(content)) if content else None


def _create(layout: Layout, name: str, number: int, holder: str, seconds: float) -> bool:
    facts = {"holder": holder, "seconds": seconds}
    return storage.create(layout.claims, _object(name, number), json.dumps(facts).encode())


def _object(name: str, number: int) -> str:
    return f"{_FOLDER}/{name}/{number:010d}"
