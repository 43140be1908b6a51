"""Folded rows into a table: what is there under their keys goes, and what they say comes, in one commit."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.commit import Action, added, commit, removed, without
from tidemark_jobs.upsert.gathering import crowded, gathered
from tidemark_jobs.upsert.lookup import Lookup
from tidemark_jobs.upsert.place import Place
from tidemark_jobs.upsert.rows import Found, Leaving, find, together, weight, with_columns
from tidemark_jobs.upsert.written import Written


class Overtaken(Exception):
    """Somebody else has committed to the table since it was looked at."""


class NotInTable(Exception):
    """A row that the table has to have, by what is to be changed, is not there."""


def read_rows(place: Place, keys: pa.ChunkedArray, columns: Sequence[str]) -> pa.Table | None:
    """Read the rows with these keys; None if there are none."""
    found = find(place.url, place.files, keys, columns)
    schema = pa.schema(place.table.schema().to_arrow())
    return with_columns(together(found), pa.schema([schema.field(name) for name in columns])) if found else None


def upsert(place: Place, rows: pa.Table, gone: pa.ChunkedArray, step: Step, *, truncated: int | None) -> Step:
    """Bring the rows in, each in the place of the one with its key; those that are `gone` just take it away.

    Gives the step as it was committed, with the rows that it added. `truncated`: so many rows, all that the table held,
    went by a TRUNCATE. Raises Overtaken, having changed nothing.
    """
    found = [] if truncated is not None else find(place.url, place.files, rows["_key"], place.weighing)
    coming = rows.filter(pc.invert(gone))
    went = sum(weight(part.rows) for part in found) if truncated is None else truncated
    return _replace(place, found, coming, replace(step, rows=weight(coming) - went), truncated=truncated is not None)


def upsert_counts(place: Place, rows: pa.Table, step: Step, *, truncated: int | None) -> Step:
    """Add each row's `_count` to that of the row with its key; a row whose count becomes 0 goes.

    The step, `truncated` and Overtaken as with `upsert`. Raises NotInTable when the table cannot be what it says.
    """
    found = [] if truncated is not None else find(place.url, place.files, rows["_key"], ["_count"])
    before = _counts(found, rows["_key"])
    counts = pc.add(rows["_count"], before)
    if rows.num_rows and pc.min(counts).as_py() < 0:
        raise NotInTable(place.url)
    counted = rows.set_column(rows.column_names.index("_count"), "_count", counts)
    coming = counted.filter(pc.greater(counts, 0))
    net = int(pc.sum(rows["_count"]).as_py() or 0) - (truncated or 0)
    return _replace(place, found, coming, replace(step, rows=net), truncated=truncated is not None)


def _counts(found: list[Found], keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give the count that each key has in the table now; 0 where it is not there."""
    if not found:
        return pa.chunked_array([pa.repeat(pa.scalar(0, pa.int64()), len(keys))])
    rows = together(found)
    places = pc.index_in(keys, value_set=rows["_key"])
    return pc.fill_null(pc.take(rows["_count"], places), 0)


def replace_rows(place: Place, files: Sequence[Written], went: Lookup, step: Step, *, truncated: bool) -> Step:
    """Bring the rows of new files in, in the place of those that make way; all of them, after a TRUNCATE.

    The step and Overtaken as with `upsert`.
    """
    coming, came = sum(file.rows for file in files), sum(file.weight for file in files)
    leaving = list(map(removed, place.files)) if truncated else _without(place, went.leaving)
    metrics = _metrics(coming, updated=went.rows - went.deleted, deleted=went.deleted)
    actions = [*leaving, *(action for file in files for action in file.adds())]
    return _commit(place, replace(step, rows=came - went.weight), actions, metrics)


def replace_all(place: Place, files: Sequence[Written], step: Step, schema: Sequence[Action], *, before: int) -> Step:
    """Make the rows of new files all that the table holds, and its columns what `schema` says; see `replace_rows`."""
    rows = sum(file.weight for file in files)
    actions = [*schema, *map(removed, place.files), *(action for file in files for action in file.adds())]
    return _commit(place, replace(step, rows=rows - before), actions, _metrics(rows, updated=0, deleted=before))


def _replace(place: Place, found: Sequence[Found], coming: pa.Table, step: Step, *, truncated: bool) -> Step:
    """Small files go in the same commit, once they are many: what stays of them is written beside what comes."""
    leaving = [part.leaving for part in found]
    whole = place.files if truncated else crowded(place.files)
    staying = gathered(place.url, [] if truncated else whole, leaving, coming.schema)
    paths = {file.path for file in whole}
    partly = _without(place, [part for part in leaving if part.file.path not in paths])
    actions = [*map(removed, whole), *partly, *added(place.url, pa.concat_tables([coming, staying]))]
    keys = [part.rows["_key"].combine_chunks() for part in found]
    updated = int(pc.sum(pc.is_in(coming["_key"], pa.concat_arrays(keys))).as_py() or 0) if keys else 0
    metrics = _metrics(coming.num_rows, updated=updated, deleted=sum(map(len, keys)) - updated)
    return _commit(place, step, actions, metrics)


def _without(place: Place, leaving: Sequence[Leaving]) -> list[Action]:
    return [action for part in leaving for action in without(place.url, part)]


def _metrics(coming: int, *, updated: int, deleted: int) -> dict[str, int]:
    """Count as MERGE does."""
    return {
        "numTargetRowsInserted": coming - updated,
        "numTargetRowsUpdated": updated,
        "numTargetRowsDeleted": deleted,
    }


def _commit(place: Place, step: Step, actions: Sequence[Action], metrics: dict[str, int]) -> Step:
    if not commit(place.url, place.version + 1, step, actions, metrics):
        raise Overtaken(place.url)
    return step
