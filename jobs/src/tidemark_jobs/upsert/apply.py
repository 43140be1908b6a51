"""Folded rows into a table: what is there under their keys goes, and what they say comes, in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from tidemark_jobs.deltalog import open_table
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.commit import added, commit, removed, without
from tidemark_jobs.upsert.data_files import DataFile, active_files
from tidemark_jobs.upsert.deletion_vectors import is_readable
from tidemark_jobs.upsert.gathering import crowded, gathered
from tidemark_jobs.upsert.rows import Found, find

# What the table may demand of its writers, and this writer does.
_FEATURES = {"deletionVectors", "appendOnly", "invariants"}


@dataclass(frozen=True)
class Place:
    """A table at one version, and its files there."""

    url: str
    version: int
    files: list[DataFile]


class Overtaken(Exception):
    """Somebody else has committed to the table since it was looked at."""


class NotInTable(Exception):
    """A row that the table has to have, by what is to be changed, is not there."""


def open_place(url: str) -> Place | None:
    """Look at a table; None if it demands more of a writer than this one does, or holds what this one cannot read."""
    table = open_table(url)
    if set(table.protocol().writer_features or ()) - _FEATURES or table.metadata().partition_columns:
        return None
    files = active_files(url, table.version())
    readable = all(is_readable(file.deletion_vector) for file in files)
    return Place(url, table.version(), files) if readable else None


def read_rows(place: Place, keys: pa.ChunkedArray, columns: Sequence[str]) -> pa.Table | None:
    """Read the rows with these keys; None if there are none."""
    found = find(place.url, place.files, keys, columns)
    return pa.concat_tables([part.rows for part in found]) if found else None


def upsert(place: Place, rows: pa.Table, gone: pa.ChunkedArray, step: Step, *, truncated: int | None) -> None:
    """Bring the rows in, each in the place of the one with its key; those that are `gone` just take it away.

    `truncated`: so many rows, all that the table held, went by a TRUNCATE. Raises Overtaken, having changed nothing.
    """
    found = [] if truncated is not None else find(place.url, place.files, rows["_key"])
    coming = rows.filter(pc.invert(gone))
    went = sum(len(part.positions) for part in found) if truncated is None else truncated
    _replace(place, found, coming, replace(step, rows=coming.num_rows - went), truncated=truncated is not None)


def upsert_counts(place: Place, rows: pa.Table, step: Step, *, truncated: int | None) -> None:
    """Add each row's `_count` to that of the row with its key; a row whose count becomes 0 goes.

    `truncated` and Overtaken as with `upsert`. Raises NotInTable when the table cannot be what it says.
    """
    found = [] if truncated is not None else find(place.url, place.files, rows["_key"], ["_count"])
    before = _counts(found, rows["_key"])
    counts = pc.add(rows["_count"], before)
    if rows.num_rows and pc.min(counts).as_py() < 0:
        raise NotInTable(place.url)
    counted = rows.set_column(rows.column_names.index("_count"), "_count", counts)
    coming = counted.filter(pc.greater(counts, 0))
    net = int(pc.sum(rows["_count"]).as_py() or 0) - (truncated or 0)
    _replace(place, found, coming, replace(step, rows=net), truncated=truncated is not None)


def _counts(found: list[Found], keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give the count that each key has in the table now; 0 where it is not there."""
    if not found:
        return pa.chunked_array([pa.repeat(pa.scalar(0, pa.int64()), len(keys))])
    rows = pa.concat_tables([part.rows for part in found])
    places = pc.index_in(keys, value_set=rows["_key"])
    return pc.fill_null(pc.take(rows["_count"], places), 0)


def _replace(place: Place, found: list[Found], coming: pa.Table, step: Step, *, truncated: bool) -> None:
    whole = place.files if truncated else crowded(place.files)
    staying = gathered(place.url, [] if truncated else whole, found, coming.schema)
    paths = {file.path for file in whole}
    partly = [action for part in found if part.file.path not in paths for action in without(place.url, part)]
    actions = [*map(removed, whole), *partly, *added(place.url, pa.concat_tables([coming, staying]))]
    if not commit(place.url, place.version + 1, step, actions, _metrics(found, coming)):
        raise Overtaken(place.url)


def _metrics(found: list[Found], coming: pa.Table) -> dict[str, int]:
    """Count as MERGE does."""
    keys = [part.rows["_key"].combine_chunks() for part in found]
    updated = int(pc.sum(pc.is_in(coming["_key"], pa.concat_arrays(keys))).as_py() or 0) if keys else 0
    return {
        "numTargetRowsInserted": coming.num_rows - updated,
        "numTargetRowsUpdated": updated,
        "numTargetRowsDeleted": sum(map(len, keys)) - updated,
    }
