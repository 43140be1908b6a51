"""Marks: rows in the source that each name the snapshot they were taken in; and which one to publish next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from tidemark_contract.catalog import Catalog
from tidemark_contract.errors import SourceChanged
from tidemark_contract.visibility import Snapshot


class MarkKind(StrEnum):
    """Why a mark was written. What `copy` and `verify` need is a stop: sync publishes it exactly."""

    SYNC = "sync"
    COPY = "copy"
    VERIFY = "verify"


@dataclass(frozen=True)
class Mark:
    """One row of `tidemark.mark`; `previous` is the nonce of the newest mark that its snapshot saw."""

    id: int
    nonce: str
    previous: str | None
    kind: MarkKind
    snapshot: Snapshot
    lsn: int  # the source's WAL insert position when it was taken: where people look, never what is compared
    taken_at: datetime
    system_id: str
    timeline: int
    catalog_json: str

    @classmethod
    def from_text(cls, row: Mapping[str, str | None]) -> "Mark":
        """Read a mark from PostgreSQL text, as SELECT with casts or the stream brings it."""
        values = {name: value or "" for name, value in row.items()}
        return cls(
            id=int(values["id"]),
            nonce=values["nonce"],
            previous=values["previous"] or None,
            kind=MarkKind(values["kind"]),
            snapshot=Snapshot.parse(values["snapshot"]),
            lsn=parse_lsn(values["lsn"]),
            taken_at=datetime.fromisoformat(values["taken_at"]),
            system_id=values["system_id"],
            timeline=int(values["timeline"]),
            catalog_json=values["catalog"],
        )

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog facts that this mark carries."""
        return Catalog.parse(self.catalog_json)

    def follows(self, other: "Mark") -> bool:
        """Tell whether this mark is a later state of the source than the other."""
        return self.snapshot.contains(other.snapshot) and not other.snapshot.contains(self.snapshot)


def parse_lsn(text: str) -> int:
    """Read `16/B374D848` as the 64-bit number it stands for."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def format_lsn(lsn: int) -> str:
    """Write an LSN as PostgreSQL does."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def next_to_publish(published: Mark | None, arrived: Iterable[Mark]) -> Mark | None:
    """Choose the mark that silver is brought to next; None when there is nothing newer than the published one.

    The earliest stop comes first, else the newest mark. Marks may arrive in any order; one that the published mark
    already contains is never gone back to.
    """
    newer = [mark for mark in arrived if published is None or mark.follows(published)]
    stops = [mark for mark in newer if mark.kind is not MarkKind.SYNC]
    if stops:
        return min((m for m in stops if not any(m.follows(o) for o in stops)), key=lambda m: m.id)
    return max((m for m in newer if not any(o.follows(m) for o in newer)), key=lambda m: m.id, default=None)


def linked(base: Mark, target: Mark, arrived: Iterable[Mark]) -> bool:
    """Tell whether the chain of predecessors leads from the target back to the base through marks that arrived.

    It does not when the slot was lost or made again: then changes in between are in no stream.
    """
    known = {mark.nonce: mark for mark in arrived}
    link: Mark | None = target
    while link is not None and link.nonce != base.nonce:
        if link.previous == base.nonce:
            return True
        link = known.get(link.previous or "")
    return link is not None


BEGIN_ANEW = (
    "if it is to be followed as it is now, `tidemark init` and `tidemark start --without-state` begin anew, then "
    "`tidemark copy` (or `tidemark repair TABLE…`, which reads only what differs)"
)


def other_history(mark: Mark, system_id: str, timeline: int) -> str | None:
    """Say what keeps a database of that system and timeline from being the one the mark was written in; else None."""
    if mark.system_id != system_id:
        return f"is database system {system_id}, the lake follows {mark.system_id}: is the source URL right?"
    if mark.timeline != timeline:
        return f"is on timeline {timeline}, the lake on {mark.timeline}: it failed over, or was restored"
    return None


def check_same_source(published: Mark, mark: Mark) -> None:
    """Raise SourceChanged when the two marks are not of one history of one database cluster."""
    if why := other_history(published, mark.system_id, mark.timeline):
        raise SourceChanged(f"the source that wrote mark {mark.id} {why}; {BEGIN_ANEW}")
