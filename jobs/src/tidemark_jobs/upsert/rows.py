"""The rows of a Delta table that have certain keys: where they are, and what they hold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap64

from tidemark_jobs import storage
from tidemark_jobs.silver import DELETED
from tidemark_jobs.upsert import deletion_vectors
from tidemark_jobs.upsert.data_files import DataFile


@dataclass(frozen=True)
class Leaving:
    """Living rows of one file that make way."""

    file: DataFile
    deleted: BitMap64  # positions that were deleted before
    positions: np.ndarray

    @property
    def nothing_left(self) -> bool:
        """Tell whether the file holds no other living row."""
        return bool(len(self.deleted) + len(self.positions) == self.file.statistics.get("numRecords", -1))


@dataclass(frozen=True)
class Found:
    """Living rows of one file that have a wanted key; `rows` has the columns that were asked for, in that order."""

    leaving: Leaving
    rows: pa.Table


def find(url: str, files: Sequence[DataFile], keys: pa.ChunkedArray, columns: Sequence[str] = ()) -> list[Found]:
    """Find the rows with these keys; `_key` and the named columns of them are read."""
    if len(keys) == 0:
        return []
    bounds = pc.min_max(keys).as_py()
    candidates = [file for file in files if file.may_hold(bounds["min"], bounds["max"])]
    found = (_find_in(url, file, keys, columns) for file in candidates)
    return [rows for rows in found if rows.rows.num_rows]


def together(found: Sequence[Found]) -> pa.Table:
    """Put the rows of one or more files together; that a column holds no NULL may stand in some of them."""
    return pa.concat_tables([part.rows for part in found], promote_options="default")


def weight(rows: pa.Table) -> int:
    """Give how many rows of the source these stand for: a bag's are counted, and a deleted one stands for none."""
    if "_count" in rows.column_names:
        return int(pc.sum(rows["_count"]).as_py() or 0)
    deleted = int(pc.sum(rows[DELETED]).as_py() or 0) if DELETED in rows.column_names else 0
    return int(rows.num_rows) - deleted


def weighing(names: Iterable[str]) -> list[str]:
    """Choose the columns that `weight` looks at."""
    return [name for name in names if name in ("_count", DELETED)]


def with_columns(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Add what the rows lack of the schema, NULL: files may be older than a column."""
    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows


def living(url: str, file: DataFile, but: np.ndarray) -> pa.Table:
    """Read the rows of a file that are not deleted, except those at the given positions."""
    deleted = deletion_vectors.read(url, file.deletion_vector) | BitMap64(but.tolist())
    rows = _open(url, file).read()
    there = ~np.isin(np.arange(rows.num_rows), np.array(deleted.to_array(), dtype=np.int64))
    return rows.filter(pa.array(there))


def _open(url: str, file: DataFile) -> pq.ParquetFile:
    return pq.ParquetFile(storage.open_file(url, unquote(file.path)))  # paths in the log are percent-encoded


def _find_in(url: str, file: DataFile, keys: pa.ChunkedArray, columns: Sequence[str]) -> Found:
    deleted = deletion_vectors.read(url, file.deletion_vector)
    parts = list(_matches(_open(url, file), keys, deleted, columns))
    positions = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, np.int64)
    rows = pa.concat_tables([part[1] for part in parts]) if parts else pa.table({"_key": pa.array([], pa.string())})
    return Found(Leaving(file, deleted, positions), rows)


def _matches(
    parquet: pq.ParquetFile, keys: pa.ChunkedArray, deleted: BitMap64, columns: Sequence[str]
) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Read the keys of every row group, and the other columns only where one is wanted."""
    before, dead = 0, np.array(deleted.to_array(), dtype=np.int64)
    for number in range(parquet.num_row_groups):
        group = parquet.read_row_group(number, columns=["_key"])
        mine = np.flatnonzero(pc.is_in(group["_key"], keys).to_numpy())
        mine = mine[~np.isin(mine + before, dead)]
        if mine.size:
            if columns:
                group = parquet.read_row_group(number, columns=["_key", *columns])
            yield mine + before, group.take(pa.array(mine))
        before += group.num_rows
