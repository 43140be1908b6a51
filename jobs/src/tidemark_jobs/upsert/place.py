"""A silver table as its writer sees it: one version of it, and the files there."""

from collections.abc import Sequence
from dataclasses import dataclass

from deltalake import DeltaTable

from tidemark_jobs.deltalog import open_table
from tidemark_jobs.upsert.data_files import DataFile, active_files
from tidemark_jobs.upsert.deletion_vectors import is_readable
from tidemark_jobs.upsert.rows import weighing

# What the table may demand of its writers, and this writer does.
_FEATURES = {"deletionVectors", "appendOnly", "invariants", "timestampNtz"}


@dataclass(frozen=True)
class Place:
    """A table at one version, and its files there."""

    url: str
    table: DeltaTable
    files: list[DataFile]

    @property
    def version(self) -> int:
        """The version that was looked at."""
        return int(self.table.version())

    @property
    def rows(self) -> int:
        """Rows in its files, deleted ones too."""
        return sum(int(file.statistics.get("numRecords", 0)) for file in self.files)

    @property
    def weighing(self) -> list[str]:
        """Its columns that say how many rows of the source a row stands for."""
        return weighing(field.name for field in self.table.schema().fields)


class NotWritable(Exception):
    """The table was altered, by somebody else, to what its writer here cannot keep up."""


def open_place(url: str, partitions: Sequence[str] = ()) -> Place:
    """Look at a table; raise NotWritable if it demands more of a writer than this one does."""
    table = open_table(url)
    if more := sorted(set(table.protocol().writer_features or ()) - _FEATURES):
        raise NotWritable(f"{url} demands {', '.join(more)} of its writers: drop the feature, and copy the table")
    if table.metadata().partition_columns != list(partitions):
        raise NotWritable(f"{url} is partitioned, or otherwise than tidemark does it: delete it, and copy the table")
    files = active_files(url, table.version())
    if not all(is_readable(file.deletion_vector) for file in files):
        raise NotWritable(f"{url} has deletion vectors inside its log: REORG it with APPLY (PURGE), and copy the table")
    return Place(url, table, files)
