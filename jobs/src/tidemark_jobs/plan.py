"""What a sync has to do, decided from the narrow columns of bronze before any Spark job starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tidemark_contract.catalog import Relation, unexplained
from tidemark_contract.marks import Mark, linked
from tidemark_contract.specs import TableSpec
from tidemark_jobs.bronze import Truncate, Window
from tidemark_jobs.control import TableState, TableVersion

LIVE, SUSPECT, STALE, COPIED, NEW = "live", "suspect", "stale", "copied", "new"
FOLDED = (LIVE, SUSPECT)
"""States in which a table follows the stream."""


@dataclass(frozen=True)
class Stand:
    """A table as a sync finds it: its spec, its state, the mark that it stands at, and its newest version."""

    spec: TableSpec
    state: TableState
    base: Mark
    version: TableVersion


@dataclass(frozen=True)
class TableFold:
    """What to fold into one table, and the state that it then is in."""

    stand: Stand
    state: TableState
    relations: tuple[int, ...]
    truncates: Mapping[int, Truncate]  # relation oid → its last TRUNCATE
    changes: int
    moved: bool
    toast: tuple[str, ...]

    @property
    def truncated(self) -> bool:
        """Tell whether nothing of what the table held before remains."""
        return bool(self.truncates)


BROKEN_CHAIN = "marks are missing between this table's mark and the newest: the slot was lost or made again"


def judge(stand: Stand, target: Mark, window: Window, arrived: Sequence[Mark]) -> tuple[TableState, TableFold | None]:
    """Say in which state a table enters the target mark, and what to fold into it to get there."""
    if stand.state.state not in FOLDED:
        return stand.state, None
    if not linked(stand.base, target, arrived):
        return TableState(STALE, BROKEN_CHAIN), None
    before, after = stand.base.catalog.table(stand.spec.table), target.catalog.table(stand.spec.table)
    relations = tuple(sorted({relation.oid for relation in (*before, *after)}))
    chosen = np.isin(window.relations, relations) & window.seen(target.snapshot) & ~window.seen(stand.base.snapshot)
    truncates = window.last_truncates(chosen)
    state = _state(stand.state, before, after, truncates)
    if state.state not in FOLDED or not chosen.any():
        return state, None
    fold = TableFold(
        stand, state, relations, truncates, int(chosen.sum()), window.moved(chosen), tuple(window.toast(chosen))
    )
    return state, fold


def _state(
    state: TableState, before: tuple[Relation, ...], after: tuple[Relation, ...], truncates: Mapping[int, Truncate]
) -> TableState:
    reason = unexplained(before, after, {oid: truncate.xid for oid, truncate in truncates.items()})
    if reason:
        # A rewrite may have left every row as it was (VACUUM FULL): the table follows on, unpublished, till verified.
        rewritten = [r.columns for r in before] == [r.columns for r in after] and _same_shape(before, after)
        return TableState(SUSPECT if rewritten else STALE, reason)
    if truncates and set(truncates) != {r.oid for r in after if _holds_rows(r, after)}:
        return TableState(STALE, "some of its partitions were truncated")
    return state


def _same_shape(before: tuple[Relation, ...], after: tuple[Relation, ...]) -> bool:
    return [(r.oid, r.identity, r.key) for r in before] == [(r.oid, r.identity, r.key) for r in after]


def _holds_rows(relation: Relation, table: tuple[Relation, ...]) -> bool:
    """A partitioned root holds none itself, and its TRUNCATE arrives as one of every leaf."""
    return len(table) == 1 or relation.oid != relation.root
