"""Files that Spark has written below a table, on their way into its log.

A row that is to go is written like all others, with its key and no `_mark`: so one pass over the changes says both what
comes and what goes. In the log its place is a deleted one from the start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap64

from tidemark_jobs import storage
from tidemark_jobs.statistics import bounds
from tidemark_jobs.upsert import deletion_vectors
from tidemark_jobs.upsert.commit import Action, added_file
from tidemark_jobs.upsert.rows import weighing, weight


@dataclass(frozen=True)
class Written:
    """One new file of a table, not yet in its log."""

    url: str  # of the table
    path: str  # below it
    size: int

    def read(self, *columns: str) -> pa.Table:
        """Read some columns of all its rows."""
        return self._parquet.read(columns=list(columns))

    @cached_property
    def gone(self) -> np.ndarray:
        """Positions of the rows that go; there are none where rows have no mark at all."""
        if "_mark" not in self._parquet.schema_arrow.names:
            return np.empty(0, np.int64)
        return np.flatnonzero(pc.is_null(self.read("_mark")["_mark"]).to_numpy())

    @property
    def all_rows(self) -> int:
        """Rows that come, and those that go."""
        return int(self._parquet.metadata.num_rows)

    @property
    def rows(self) -> int:
        """Rows that come."""
        return self.all_rows - self.gone.size

    @property
    def weight(self) -> int:
        """Rows of the source that the rows that come stand for."""
        names = weighing(self._parquet.schema_arrow.names)
        return weight(self.read(*names)) if names else self.rows

    def adds(self) -> list[Action]:
        """Bring its rows into the table; nothing when none comes."""
        if not self.rows:
            return []
        statistics, vector = bounds(self._parquet.metadata), None
        if self.gone.size:
            vector = deletion_vectors.write(self.url, BitMap64(self.gone.tolist()))
            statistics["tightBounds"] = False
        return [added_file(self.path, self.size, statistics, vector)]

    @cached_property
    def _parquet(self) -> pq.ParquetFile:
        return pq.ParquetFile(storage.open_file(self.url, self.path))


def written_files(url: str, folder: str) -> Iterator[Written]:
    """Give the data files in a folder below a table."""
    for file in storage.data_files(f"{url}/{folder}"):
        yield Written(url, f"{folder}/{file.name}", file.size)


def all_keys(files: Sequence[Written]) -> pa.ChunkedArray:
    """Read the keys of all rows, those that go too."""
    return pa.chunked_array([chunk for file in files for chunk in file.read("_key")["_key"].chunks], pa.string())
