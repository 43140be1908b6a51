"""Reading the changelog: marks that have arrived, and the changes between two of them.

The driver reads the narrow columns of the files in a window (about 10 ms per million changes) and learns from them
exactly which tables have changes, and how many, before any Spark job starts: an idle table costs nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from tidemark_contract.evolution import SentSchema
from tidemark_contract.layout import Layout
from tidemark_contract.marks import Mark
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE
from tidemark_contract.visibility import XID_SPAN, Snapshot
from tidemark_jobs import storage
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.landing import open_bronze

_INDEX = ["commit_lsn", "ordinal", "xid", "op", "relation_id", "before", "unchanged", "protection"]


@dataclass(frozen=True)
class BronzeFile:
    """One file of bronze and the commit LSNs it spans."""

    name: str
    rows: int
    first_lsn: int
    last_lsn: int


@dataclass(frozen=True)
class ArrivedMark:
    """A mark that is in bronze, and with it everything that its snapshot sees."""

    mark: Mark
    commit_lsn: int


@dataclass(frozen=True)
class Truncate:
    """One TRUNCATE of one relation: its position in the stream."""

    commit_lsn: int
    ordinal: int


class Bronze:
    """The changelog of one source at the version it was opened at."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.table: DeltaTable = open_bronze(layout)
        self._marks: dict[str, list[ArrivedMark]] = {}

    def refresh(self) -> None:
        """Go to the newest version; what was read from files is kept, for files never change."""
        self.table.update_incremental()
        self.__dict__.pop("files", None)

    @cached_property
    def files(self) -> list[BronzeFile]:
        """All files, in order of their first commit LSN."""
        adds = pa.table(self.table.get_add_actions(flatten=True)).to_pylist()
        files = [BronzeFile(a["path"], a["num_records"], a["min.commit_lsn"], a["max.commit_lsn"]) for a in adds]
        return sorted(files, key=lambda file: (file.first_lsn, file.last_lsn, file.name))

    def between(self, first_lsn: int, last_lsn: int) -> list[BronzeFile]:
        """Give the files that may hold a change committed in the closed range."""
        return [file for file in self.files if file.last_lsn >= first_lsn and file.first_lsn <= last_lsn]

    def marks_since(self, lsn: int) -> list[ArrivedMark]:
        """Give every mark whose transaction committed at or after an LSN."""
        files = [file for file in self.files if file.last_lsn >= lsn]
        found = [arrived for file in files for arrived in self._marks_in(file.name) if arrived.commit_lsn >= lsn]
        return list({arrived.mark.nonce: arrived for arrived in found}.values())

    def window(self, first_lsn: int, last_lsn: int) -> "Window":
        """Index the changes committed in the closed range."""
        files = self.between(first_lsn, last_lsn)
        parts = [narrowed(self._read(file.name, _INDEX)) for file in files]
        index = pa.concat_tables(parts) if parts else narrowed(CHANGES.empty_table().select(_INDEX))
        inside = pc.and_(
            pc.and_(pc.greater_equal(index["commit_lsn"], first_lsn), pc.less_equal(index["commit_lsn"], last_lsn)),
            pc.not_equal(pc.cast(index["op"], pa.string()), "s"),
        )
        # In one piece: of many, `take` makes one each time that it is asked.
        return Window(self, files, first_lsn, last_lsn, index.filter(inside).combine_chunks())

    def changes(self, files: Sequence[BronzeFile], first_lsn: int, last_lsn: int, relations: Sequence[int]) -> pa.Table:
        """Read whole changes of some relations to the driver."""
        columns = ["commit_lsn", "ordinal", "xid", "commit_ts", "op", "relation_id", "before", "after", "unchanged"]
        parts = [self._read(file.name, columns) for file in files]
        rows = pa.concat_tables(parts)
        wanted = pc.and_(
            pc.is_in(rows["relation_id"], pa.array(relations, pa.int64())),
            pc.and_(pc.greater_equal(rows["commit_lsn"], first_lsn), pc.less_equal(rows["commit_lsn"], last_lsn)),
        )
        return rows.filter(pc.and_(wanted, pc.not_equal(rows["op"], "s")))

    def schemas(self, files: Sequence[BronzeFile]) -> Iterator[dict[str, Any]]:
        """Read schema rows: `relation_id, commit_lsn, ordinal, after` (column → type oid, type modifier, 1 if key)."""
        for file in files:
            parquet = pq.ParquetFile(storage.open_file(self.layout.bronze, file.name))
            for number in range(parquet.num_row_groups):
                chosen = pc.equal(parquet.read_row_group(number, columns=["op"])["op"], "s")
                if pc.any(chosen).as_py():
                    whole = parquet.read_row_group(number, columns=["relation_id", "commit_lsn", "ordinal", "after"])
                    yield from whole.filter(chosen).to_pylist()

    def _read(self, name: str, columns: list[str]) -> pa.Table:
        return pq.read_table(storage.open_file(self.layout.bronze, name), columns=columns)

    def _marks_in(self, name: str) -> list[ArrivedMark]:
        if name not in self._marks:
            self._marks[name] = list(self._find_marks(name))
        return self._marks[name]

    def _find_marks(self, name: str) -> Iterator[ArrivedMark]:
        """Look at two narrow columns of every row group, and at whole rows only where one is a mark."""
        file = pq.ParquetFile(storage.open_file(self.layout.bronze, name))
        for number in range(file.num_row_groups):
            names = file.read_row_group(number, columns=["schema_name", "table_name", "op"])
            marks = _and(names["schema_name"], MARK_SCHEMA, names["table_name"], MARK_TABLE, names["op"], "c")
            if pc.any(marks).as_py():
                rows = file.read_row_group(number, columns=["commit_lsn", "after"]).filter(marks)
                for row in rows.to_pylist():
                    yield ArrivedMark(Mark.from_text(dict(row["after"])), row["commit_lsn"])


def narrowed(rows: pa.Table) -> pa.Table:
    """Keep of old keys and rows whether there is one."""
    place = rows.schema.get_field_index("before")
    return rows.set_column(place, "before", rows["before"].is_valid())


@dataclass(frozen=True)
class Window:
    """The changes in bronze between two commit LSNs, of all relations or of some (`whole` has them all then).

    `index` has their narrow columns, schema rows left out; `before` says whether there is one.
    """

    bronze: Bronze
    files: Sequence[BronzeFile]
    first_lsn: int
    last_lsn: int
    index: pa.Table
    whole: "Window | None" = None

    def of(self, relations: Sequence[int]) -> "Window":
        """Give the changes of some relations. All tables, one by one, cost together little more than the whole."""
        places = [self._places[oid] for oid in relations if oid in self._places]
        rows = np.sort(np.concatenate(places)) if places else np.empty(0, np.int64)
        return replace(self, index=self.index.take(rows), whole=self)

    @cached_property
    def _places(self) -> dict[int, np.ndarray]:
        """Relation oid → where its changes are in the index."""
        order = np.argsort(self.relations, kind="stable")
        found, starts = np.unique(self.relations[order], return_index=True)
        return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=False))  # of nothing, split makes one

    @cached_property
    def relations(self) -> np.ndarray:
        """Relation oid of each change."""
        return self._column("relation_id")

    def _are(self, op: str) -> np.ndarray:
        return np.asarray(pc.equal(self.index["op"], op).to_numpy(zero_copy_only=False), dtype=bool)

    @cached_property
    def repeated(self) -> bool:
        """Tell whether some change may stand here more than once: the order in the files is not strict."""
        lsn, ordinal = self._column("commit_lsn"), self._column("ordinal")
        later = (lsn[1:] > lsn[:-1]) | ((lsn[1:] == lsn[:-1]) & (ordinal[1:] > ordinal[:-1]))
        return not bool(later.all())

    def seen(self, snapshot: Snapshot) -> np.ndarray:
        """Tell for each change whether the snapshot sees its transaction."""
        return seen_rows(self._column("xid"), snapshot)

    def lowest_unseen(self, snapshot: Snapshot) -> int:
        """Give the lowest commit LSN of a change that the snapshot does not see; the window's end if there is none."""
        unseen = self._column("commit_lsn")[~self.seen(snapshot)]
        return int(unseen.min()) if unseen.size else self.last_lsn

    def truncates_of(self, chosen: np.ndarray) -> dict[int, list[Truncate]]:
        """Give relation oid → its TRUNCATEs among the chosen changes, in order."""
        rows = np.flatnonzero(chosen & self._are("t"))
        lsn, ordinal = self._column("commit_lsn"), self._column("ordinal")
        in_order = rows[np.lexsort((ordinal[rows], lsn[rows]))]
        found: dict[int, list[Truncate]] = {}
        for row in in_order:
            found.setdefault(int(self.relations[row]), []).append(Truncate(int(lsn[row]), int(ordinal[row])))
        return found

    def deleted(self, chosen: np.ndarray) -> bool:
        """Tell whether a chosen change deletes a row."""
        return bool((chosen & self._are("d")).any())

    def moved(self, chosen: np.ndarray) -> bool:
        """Tell whether a chosen update brings an old key or row, so that its key may have changed."""
        return bool((chosen & self._are("u") & np.asarray(self.index["before"])).any())

    def toast(self, chosen: np.ndarray) -> list[str]:
        """Name the columns that some chosen change leaves out because their stored value did not change."""
        lists = self.index["unchanged"].filter(pa.array(chosen))
        return sorted(pc.unique(pc.list_flatten(lists.combine_chunks())).to_pylist())

    def protections(self, chosen: np.ndarray) -> set[str | None]:
        """Give how the tables of the chosen changes were protected when they were sent."""
        labels = self.index["protection"]
        if labels.null_count < len(labels):
            return set(pc.unique(labels.filter(pa.array(chosen))).to_pylist())
        return {None} if chosen.any() else set()

    def sent_schemas(self, chosen: np.ndarray, relation: int) -> list[SentSchema]:
        """Give the schemas that the stream sent before and among the chosen changes of a relation.

        It sends one before a relation's first change and after each ALTER, and again when it starts anew.
        """
        mine = chosen & (self.relations == relation)
        if not mine.any():
            return []
        places = list(
            zip(self._column("commit_lsn")[mine].tolist(), self._column("ordinal")[mine].tolist(), strict=True)
        )
        first, last = min(places), max(places)
        sent = [
            ((row["commit_lsn"], row["ordinal"]), row["after"])
            for row in (self.whole or self)._schemas
            if row["relation_id"] == relation
        ]
        begins = max((place for place, _ in sent if place <= first), default=first)
        return [
            [(name, int(facts.split(",")[0])) for name, facts in columns]
            for place, columns in sent
            if begins <= place <= last
        ]

    @cached_property
    def _schemas(self) -> list[dict[str, Any]]:
        """Read once, for all tables and partitions that ask."""
        return list(self.bronze.schemas(self.files))

    def _column(self, name: str) -> np.ndarray:
        return numbers(self.index, name)


def numbers(rows: pa.Table, name: str) -> np.ndarray:
    """Give a column of integers."""
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), dtype=np.int64)


def seen_rows(xid: np.ndarray, snapshot: Snapshot) -> np.ndarray:
    """Tell for each 32-bit transaction id whether the snapshot sees it; the same rule as `fold.visibility`."""
    distance = (xid - snapshot.xmax) % XID_SPAN
    wide = snapshot.xmax + np.where(distance < XID_SPAN // 2, distance, distance - XID_SPAN)
    running = np.isin(wide, np.fromiter(snapshot.running, np.int64))
    return (wide < snapshot.xmin) | ((wide < snapshot.xmax) & ~running)


def _and(*pairs: object) -> pa.ChunkedArray:
    columns, values = pairs[::2], pairs[1::2]
    tests = [pc.equal(column, value) for column, value in zip(columns, values, strict=True)]
    result = tests[0]
    for test in tests[1:]:
        result = pc.and_(result, test)
    return result
