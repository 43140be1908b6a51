"""Silver and histories without the rows that are to go: deleted ones still lie in files, and logs tell their bounds."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidemark_contract.errors import ConfigurationError, LakeUnavailable
from tidemark_jobs import storage
from tidemark_jobs.adopt import ATTEMPTS
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.erase.files import Cleared
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.history.table import OPEN
from tidemark_jobs.silver import DELETED, write_entry
from tidemark_jobs.statistics import bounds
from tidemark_jobs.storage import StoredObject
from tidemark_jobs.upsert import deletion_vectors
from tidemark_jobs.upsert.data_files import DataFile, active_files
from tidemark_jobs.upsert.place import NotWritable, open_place

_ENTRY = re.compile(r"_delta_log/(?P<version>\d{20})\.(json|checkpoint\.parquet)")
_HINTS = {"_delta_log/_last_checkpoint", "_delta_log/_last_vacuum_info"}
_DELETED_AT_ONCE = 16


@dataclass(frozen=True)
class Held:
    """A file with rows that are to go: without its deleted rows, and the `_key`s of those that live."""

    cleared: Cleared
    living: Sequence[str]


def held(url: str, wanted: Wanted) -> list[Held]:
    """Find the files of a table's newest version that have rows which are to go, deleted ones too."""
    try:
        place = open_place(url, open_table(url).metadata().partition_columns)
    except NotWritable as error:
        raise ConfigurationError(str(error)) from error
    return [found for file in place.files if (found := _held(url, file, wanted))]


def _held(url: str, file: DataFile, wanted: Wanted) -> Held | None:
    parquet = pq.ParquetFile(storage.open_file(url, unquote(file.path)))
    marked = DELETED in parquet.schema_arrow.names
    rows = parquet.read(columns=["_key", *([DELETED] if marked else [])])
    chosen = np.flatnonzero(wanted.keys(rows["_key"]))
    if not chosen.size:
        return None
    gone = np.array(deletion_vectors.read(url, file.deletion_vector).to_array(), dtype=np.int64)
    there = np.setdiff1d(chosen, gone)
    kept = np.flatnonzero(pc.fill_null(rows[DELETED], False)) if marked else np.empty(0, np.int64)
    part = file.add["partitionValues"].get(OPEN)
    if part == "false" or (part and not wanted.spec.historic):
        kept = there  # versions of a history that ended; of one that nobody goes on with all are past
    living, going = np.setdiff1d(there, kept), np.union1d(gone, np.intersect1d(there, kept))

    def goes(group: pa.Table, before: int) -> np.ndarray:
        return np.isin(np.arange(before, before + group.num_rows), going)

    cleared = Cleared(file, int(chosen.size), goes, seen=living.size < there.size)
    return Held(cleared, rows["_key"].take(pa.array(living)).to_pylist())


def purge(url: str, wanted: Wanted) -> int:
    """Write the files that have deleted rows which are to go anew, in one commit; give the number of those rows.

    No row that lives is touched; what stays in the table although it is past, deleted rows and old versions, goes too.
    """
    for _ in range(ATTEMPTS):
        version, found = open_table(url).version(), held(url, wanted)
        actions = [action for file in found for action in file.cleared.actions(url, bounds)]
        if not actions or write_entry(url, version + 1, "REORG", actions):
            return sum(file.cleared.rows for file in found)
    raise LakeUnavailable(f"{url} is rewritten by others all the time: {ATTEMPTS} races were lost")


def strip(url: str, version: int | None = None) -> list[StoredObject]:
    """Leave nothing of a table but its newest version, which has to be this one if one is told; give what was deleted.

    The log begins with a checkpoint then: entries before it hold bounds of rows that are gone.
    """
    table = open_table(url)
    if version not in (None, table.version()):
        raise LakeUnavailable(f"{url} is written to by others: it is at version {table.version()}, not {version}")
    table.create_checkpoint()
    needed = {name for file in active_files(url, table.version()) for name in _names(file)}
    return delete(url, [o for o in storage.list_objects(url) if not stays(o.name, needed, table.version())])


def delete(url: str, objects: Sequence[StoredObject]) -> list[StoredObject]:
    """Delete objects below a folder, and give them back."""
    with ThreadPoolExecutor(_DELETED_AT_ONCE) as pool:
        list(pool.map(lambda stored: storage.delete(url, stored.name), objects))
    return list(objects)


def _names(file: DataFile) -> list[str]:
    vector = file.deletion_vector
    return [unquote(file.path), *([deletion_vectors.file_of(vector)] if vector else [])]


def stays(name: str, needed: set[str], version: int) -> bool:
    """Tell whether an object is needed by versions from this one on.

    Hadoop's checksums, hidden files beside the others, are not; nor may they stay when what they are of is made anew.
    """
    if entry := _ENTRY.fullmatch(name):
        return int(entry["version"]) >= version
    return name in needed or name in _HINTS
