"""Which transactions a snapshot sees, and how snapshots and 32-bit transaction ids are ordered."""

from dataclasses import dataclass

XID_SPAN = 1 << 32


@dataclass(frozen=True)
class Snapshot:
    """A PostgreSQL transaction snapshot: which transactions its holder can see.

    Transaction ids are 64 bits wide (epoch included) and top-level, as in `pg_snapshot`.
    Source: PostgreSQL documentation, functions-info-snapshot.
    """

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read `pg_snapshot`'s text form, `xmin:xmax:xid,xid,…`."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))

    def sees(self, xid: int) -> bool:
        """Tell whether the transaction had committed or aborted when the snapshot was taken."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.running)

    def contains(self, other: "Snapshot") -> bool:
        """Tell whether every transaction that `other` sees is seen by this snapshot too.

        Marks are ordered by this, never by number or LSN.
        """
        hidden_here = not any(other.sees(xid) for xid in self.running)
        beyond = range(self.xmax, other.xmax)
        return hidden_here and len(beyond) == sum(xid in beyond for xid in other.running)

    def __str__(self) -> str:
        return f"{self.xmin}:{self.xmax}:{','.join(str(xid) for xid in sorted(self.running))}"


NOTHING = Snapshot(0, 0, frozenset())
"""The snapshot that sees no transaction at all: the state before any mark."""


def widen(xid: int, near: int) -> int:
    """Give the 64-bit id of the stream's 32-bit `xid` that lies nearest to `near`.

    Two transactions that are alive at once are always less than 2^31 apart, so the xmax of a
    mark that follows an event in the stream names the event's epoch.
    """
    distance = (xid - near) % XID_SPAN
    return near + (distance if distance < XID_SPAN // 2 else distance - XID_SPAN)
