"""Files of a Delta table, landing files among them, written again without some of their rows."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidemark_jobs import storage
from tidemark_jobs.upsert.commit import Action, added_file, removed
from tidemark_jobs.upsert.data_files import DataFile

Goes = Callable[[pa.Table, int], np.ndarray]
"""Tells which rows of a row group go, by its rows and the position of the first of them in the file."""
Statistics = Callable[[pq.FileMetaData], dict[str, Any]]


@dataclass(frozen=True)
class Cleared:
    """A file as it was, and the rows that are to go from it."""

    file: DataFile
    rows: int
    goes: Goes
    seen: bool  # some of the rows, by a reader of the table

    def actions(self, url: str, statistics: Statistics) -> list[Action]:
        """Write what stays to a new file, a row group at a time; give what puts it into the old one's place in the log.

        The new file lies beside the table's others, and not among landing files: those are known by their names.
        """
        content, writer = pa.BufferOutputStream(), None
        parquet = pq.ParquetFile(storage.open_file(url, unquote(self.file.path)))
        for before, rows in groups(parquet):
            stay = rows.filter(pa.array(~self.goes(rows, before)))
            if stay.num_rows:
                writer = writer or pq.ParquetWriter(content, parquet.schema_arrow, compression="zstd")
                writer.write_table(stay)
        if writer is None:
            return [self._told("remove", removed(self.file))]
        writer.close()
        data = content.getvalue().to_pybytes()
        name = f"part-00000-{uuid.uuid4()}-c000.zstd.parquet"
        storage.create(url, name, data)
        facts = statistics(pq.read_metadata(pa.BufferReader(data)))
        added = added_file(name, len(data), facts)
        added["add"]["partitionValues"] = self.file.add["partitionValues"]
        return [self._told("remove", removed(self.file)), self._told("add", added)]

    def _told(self, kind: str, action: Action) -> Action:
        return {kind: action[kind] | {"dataChange": self.seen}}


def groups(parquet: pq.ParquetFile, columns: list[str] | None = None) -> Any:
    """Read a file's row groups one by one, each with the position of its first row."""
    before = 0
    for number in range(parquet.num_row_groups):
        rows = parquet.read_row_group(number, columns=columns)
        yield before, rows
        before += parquet.metadata.row_group(number).num_rows
