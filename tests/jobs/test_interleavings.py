"""Transactions around marks in every order that PostgreSQL allows: what each published mark shows, without an engine.

What chooses the changes of a mark is the real thing (marks, windows, visibility, carry-over); the rows it chooses are
folded here by the plainest rule there is, and compared with what the mark's snapshot saw.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.jobs.lake import LINES, OIDS, relation
from tests.variants import ALL
from tidemark_contract.marks import Mark, MarkKind, next_to_publish
from tidemark_contract.visibility import Snapshot
from tidemark_jobs.bronze import Bronze, Window, narrowed
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.changes import few_changes
from tidemark_jobs.control import TableState, TableVersion
from tidemark_jobs.plan import LIVE, Stand, judge

State = dict[str, tuple[str | None, int]]  # key → its value, and how many changes it has seen
FIRST_XID = (1 << 32) - 3  # they wrap around on the way
KEYS = ("1", "2", "3")


@dataclass
class Source:
    """A PostgreSQL that does one step after the other: what is in its log, and what a snapshot sees."""

    xid: int = FIRST_XID
    lsn: int = 100
    running: dict[int, dict[str, str | None]] = field(default_factory=dict)  # begun, and not seen by anybody yet
    committed: list[int] = field(default_factory=list)  # of those the ones whose commit is in the log
    rows: State = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    truth: dict[int, State] = field(default_factory=dict)

    def begin(self, writes: dict[str, str | None]) -> None:
        """Write keys that nobody else has locked."""
        locked = {key for taken in self.running.values() for key in taken}
        free = {key: value for key, value in writes.items() if key not in locked}
        if free:
            self.running[self.xid] = free
            self.xid += 1

    def commit(self, which: int) -> None:
        """Put a commit into the log; nobody sees it yet."""
        open_ = [xid for xid in self.running if xid not in self.committed]
        if open_:
            xid = open_[which % len(open_)]
            self.committed.append(xid)
            self.lsn += 10
            for ordinal, (key, value) in enumerate(self.running[xid].items()):
                self.log.append(change(self.lsn, ordinal, xid, key, value))

    def see(self, which: int) -> None:
        """Let a committed transaction be seen; in any order."""
        if self.committed:
            xid = self.committed.pop(which % len(self.committed))
            for key, value in self.running.pop(xid).items():
                self.rows[key] = (value, self.rows.get(key, (None, 0))[1] + 1)

    def mark(self, kind: MarkKind) -> None:
        """Take a snapshot, and commit its row at once."""
        running = frozenset(self.running)
        snapshot = Snapshot(min(running, default=self.xid), self.xid, running)
        number, previous = len(self.marks) + 1, f"nonce-{len(self.marks)}" if self.marks else None
        catalog = json.dumps([relation(LINES)])
        taken = datetime(2026, 1, 1, tzinfo=UTC)
        self.marks.append(Mark(number, f"nonce-{number}", previous, kind, snapshot, 0, taken, "7", 1, catalog))
        self.truth[number] = dict(self.rows)
        self.lsn += 10
        self.log.append(change(self.lsn, 0, self.xid, None, None) | {"mark": self.marks[-1]})
        self.xid += 1


def change(lsn: int, ordinal: int, xid: int, key: str | None, value: str | None) -> dict[str, Any]:
    row = [("id", key), ("part", value)]
    return {
        "commit_lsn": lsn,
        "ordinal": ordinal,
        "xid": xid % (1 << 32),
        "op": "d" if value is None else "u",
        "relation_id": OIDS[LINES.table] if key else 1,
        "before": row[:1] if value is None else None,
        "after": row if value is not None else None,
        "mark": None,
    }


@dataclass
class Mirror:
    """What sync does, mark by mark."""

    base: Mark
    read_from: int = 0
    rows: State = field(default_factory=dict)
    published: list[int] = field(default_factory=list)

    def sync(self, arrived: Sequence[dict[str, Any]], truth: dict[int, State]) -> None:
        """Publish all marks that are due of what has arrived, each of them compared with its truth."""
        marks = {row["mark"].nonce: (row["mark"], row["commit_lsn"]) for row in arrived if row["mark"]}
        while target := next_to_publish(self.base, [mark for mark, _ in marks.values()]):
            self.publish(arrived, target, marks[target.nonce][1], [mark for mark, _ in marks.values()])
            assert truth[target.id] == self.rows, target

    def publish(self, arrived: Sequence[dict[str, Any]], target: Mark, last: int, marks: Sequence[Mark]) -> None:
        names = [name for name in CHANGES.names if name in arrived[0] or name in ("unchanged", "protection")]
        rows = pa.Table.from_pylist(list(arrived), pa.schema([CHANGES.field(name) for name in names]))
        inside = [self.read_from <= row["commit_lsn"] <= last for row in arrived]
        rows = rows.filter(pa.array(inside))
        window = Window(cast(Bronze, None), [], self.read_from, last, narrowed(rows))
        stand = Stand(LINES, TableState(LIVE), self.base, TableVersion(LINES.table, 1, self.base.id, 1, 0))
        state, fold = judge(stand, target, window, marks)
        assert LIVE == state.state
        if fold:
            self._fold(few_changes(rows, fold, target).to_pylist(), repeated=window.repeated)
        self.base, self.read_from = target, window.lowest_unseen(target.snapshot)
        self.published.append(target.id)

    def _fold(self, changes: list[dict[str, Any]], *, repeated: bool) -> None:
        """Where nothing says that a change may be here twice, each counts."""
        if repeated:
            changes = list({(row["commit_lsn"], row["ordinal"]): row for row in changes}.values())
        for row in sorted(changes, key=lambda row: (row["commit_lsn"], row["ordinal"])):
            values = dict(row["after"] or row["before"])
            self.rows[values["id"]] = (values.get("part"), self.rows.get(values["id"], (None, 0))[1] + 1)


WRITES = st.dictionaries(st.sampled_from(KEYS), st.none() | st.sampled_from("abc"), min_size=1, max_size=2)
BEGIN = st.tuples(st.just("begin"), WRITES)
COMMIT, SEE = (st.tuples(st.just(name), st.integers(0, 3)) for name in ("commit", "see"))
MARK = st.tuples(st.just("mark"), st.sampled_from(list(MarkKind)))
STEPS = st.lists(st.one_of(BEGIN, BEGIN, COMMIT, COMMIT, SEE, SEE, MARK), min_size=12, max_size=60)


@settings(max_examples=400 if ALL else 100, deadline=None)
@given(steps=STEPS, cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6))
def test_every_published_mark_is_what_its_snapshot_saw(steps: list[Any], cuts: list[tuple[int, int]]) -> None:
    """What has arrived is cut anywhere; after a cut the stream may come again from some place before it."""
    source = Source()
    source.mark(MarkKind.COPY)
    for name, argument in steps:
        getattr(source, name)(argument)
    source.mark(MarkKind.SYNC)

    mirror, arrived, place = Mirror(source.marks[0]), list[dict[str, Any]](), 0
    for length, back in [*cuts, (len(source.log), 0)]:
        arrived += source.log[max(0, place - back) : place + length]
        place = max(place, min(len(source.log), place + length))
        if arrived:
            mirror.sync(arrived, source.truth)
    assert len(source.marks) in mirror.published
    stops = {mark.id for mark in source.marks[1:] if mark.kind is not MarkKind.SYNC}
    assert stops <= set(mirror.published), "a stop was passed by"
