"""What a sync has to do, decided from the narrow columns of bronze before any Spark job starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tidemark_contract.catalog import holders
from tidemark_contract.evolution import Evolution, NotFollowed, Table, follow, spec_at, unlike
from tidemark_contract.marks import Mark, linked
from tidemark_contract.specs import Deletes, TableSpec
from tidemark_jobs.bronze import Truncate, Window
from tidemark_jobs.control import TableState, TableVersion

LIVE, CHANGED, STALE, COPIED, NEW = "live", "changed", "stale", "copied", "new"


@dataclass(frozen=True)
class Stand:
    """A table as a sync finds it: its spec, its state, the mark that it stands at, and its newest version."""

    spec: TableSpec  # as it was written, see `evolution.spec_at`
    state: TableState
    base: Mark
    version: TableVersion
    soft: bool = False  # the table keeps what is deleted, whatever its spec says by now
    protection: str | None = None  # how its columns have to be protected

    @property
    def at_base(self) -> TableSpec:
        """The spec as the table stands."""
        at_base = spec_at(self.spec, self.base.catalog.table(self.spec.table))
        return replace(at_base, deletes=Deletes.SOFT if self.soft else Deletes.HARD)


@dataclass(frozen=True)
class TableFold:
    """What to fold into one table."""

    stand: Stand
    spec: TableSpec  # as of the mark that is folded to
    relations: tuple[int, ...]
    truncates: Mapping[int, Sequence[Truncate]]  # relation oid → its TRUNCATEs, in order
    changes: int
    moved: bool
    deleted: bool
    toast: tuple[str, ...]
    evolution: Evolution = field(default_factory=Evolution)
    whole: bool = False  # what a TRUNCATE undid, and the TRUNCATE, are told too

    @property
    def truncated(self) -> bool:
        """Tell whether no row that the table held before remains, but as a deleted one."""
        return bool(self.truncates)

    @property
    def rewrites(self) -> bool:
        """Tell whether every row of the table may be another: its columns are, or all of them are kept as deleted."""
        return self.spec != self.stand.at_base or (self.truncated and self.spec.soft)

    @property
    def sought(self) -> tuple[str, ...]:
        """Name the columns to be found in a row's past: those left out; all, of one that is kept when deleted."""
        goes = self.deleted or self.moved or self.truncated
        return tuple(column.name for column in self.spec.columns) if self.spec.soft and goes else self.toast

    def only_adds(self, columns: Sequence[str]) -> bool:
        """Tell whether these columns of silver are new ones, and NULL in every older row."""
        values = {self.spec.silver_names[name]: value for name, value in self.evolution.added.items()}
        return all(name in values and values[name] is None for name in columns)


BROKEN_CHAIN = "marks are missing between this table's mark and the newest: the slot was lost or made again"
UNPUBLISHED = (
    "it is no longer in the publication: dropped, renamed or taken out; correct its spec, or `tidemark init` adds it"
)

LEFT_OUT = "a mark was published while it had no spec: `tidemark repair`, or `copy`, brings it back"
COPIED_OTHERWISE = (
    "its columns were protected in another way, or with another key, when it was copied: `tidemark copy` brings it back"
)
SENT_OTHERWISE = (
    "the stream has not protected its columns as its spec says: it reads the specs when it starts; `tidemark stop`, "
    "`tidemark start`, then `tidemark copy` bring it back"
)


class SentOtherwise(Exception):
    """The stream has not protected a table's columns as its spec says."""


def judge(stand: Stand, target: Mark, window: Window, arrived: Sequence[Mark]) -> tuple[TableState, TableFold | None]:
    """Say in which state a table enters the target mark, and what to fold into it to get there."""
    if stand.state.state != LIVE:
        return stand.state, None
    if not linked(stand.base, target, arrived):
        return TableState(STALE, BROKEN_CHAIN), None
    before, after = stand.base.catalog.table(stand.spec.table), target.catalog.table(stand.spec.table)
    if not after:
        return TableState(STALE, UNPUBLISHED), None
    try:
        return stand.state, _fold(stand, target, window, before, after)
    except SentOtherwise:
        return TableState(STALE, SENT_OTHERWISE), None
    except NotFollowed as reason:
        decided = (stand.spec.frozen and unlike(stand.spec, after)) or _renumbered(stand.spec, before, after)
        return TableState(STALE if decided else CHANGED, str(reason)), None


def _renumbered(spec: TableSpec, before: Table, after: Table) -> bool:
    """Tell whether a copy by the names in the spec might store in plain what was protected under another name."""
    numbers = [
        {column.name: column.number for r in table for column in r.columns if r.oid == r.root}
        for table in (before, after)
    ]
    return bool(spec.protected) and numbers[0] != numbers[1]


def _fold(stand: Stand, target: Mark, window: Window, before: Table, after: Table) -> TableFold | None:
    """Choose the table's changes; None when there is nothing to do. Raises NotFollowed and SentOtherwise."""
    relations = tuple(sorted({relation.oid for relation in (*before, *after)}))
    window = window.of(relations)
    chosen = window.seen(target.snapshot) & ~window.seen(stand.base.snapshot)
    evolution = follow(stand.spec, before, after, lambda oid: window.sent_schemas(chosen, oid))
    if window.protections(chosen) - {stand.protection}:
        raise SentOtherwise
    truncates = window.truncates_of(chosen)
    if truncates and set(truncates) != {relation.oid for relation in holders(after)}:
        raise NotFollowed("some of its partitions were truncated")
    spec = spec_at(stand.spec, after)
    if not chosen.any() and spec == stand.at_base:
        return None
    left_out = window.toast(chosen) if spec.key else []  # a bag's old rows come whole
    toast = [evolution.renamed.get(name, name) for name in left_out if name not in evolution.dropped]
    changes, moved, deleted = int(chosen.sum()), window.moved(chosen), window.deleted(chosen)
    return TableFold(stand, spec, relations, truncates, changes, moved, deleted, tuple(toast), evolution, spec.soft)
