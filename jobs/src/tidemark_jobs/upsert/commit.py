"""One commit to a Delta table, by a log entry that counts only if it is the next."""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap64

from tidemark_jobs import storage
from tidemark_jobs.deltalog import entry, open_table
from tidemark_jobs.silver import APPLICATION, PROVENANCE, Step
from tidemark_jobs.statistics import bounds
from tidemark_jobs.upsert import deletion_vectors
from tidemark_jobs.upsert.data_files import DataFile
from tidemark_jobs.upsert.rows import Leaving

CHECKPOINT_EVERY = 50
Action = dict[str, Any]


def removed(file: DataFile) -> Action:
    """Take a file out of the table."""
    facts = {name: file.add[name] for name in ("path", "partitionValues", "size", "deletionVector") if name in file.add}
    return {"remove": facts | {"deletionTimestamp": _now(), "dataChange": True, "extendedFileMetadata": True}}


def without(url: str, leaving: Leaving) -> list[Action]:
    """Delete rows of a file: all of it when no other row is left in it."""
    if leaving.nothing_left:
        return [removed(leaving.file)]
    vector = deletion_vectors.write(url, leaving.deleted | BitMap64(leaving.positions.tolist()))
    add = leaving.file.add | {"deletionVector": vector, "dataChange": True}
    # The bounds are now of rows that may be gone.
    add["stats"] = json.dumps(leaving.file.statistics | {"tightBounds": False})
    return [removed(leaving.file), {"add": add}]


def added(url: str, rows: pa.Table) -> list[Action]:
    """Write rows to a new file of the table."""
    if rows.num_rows == 0:
        return []
    name, content = f"part-00000-{uuid.uuid4()}-c000.zstd.parquet", pa.BufferOutputStream()
    pq.write_table(rows, content, compression="zstd")
    data = content.getvalue().to_pybytes()
    storage.create(url, name, data)
    return [added_file(name, len(data), bounds(pq.read_metadata(pa.BufferReader(data))))]


def added_file(path: str, size: int, statistics: Action, vector: Action | None = None) -> Action:
    """Bring a data file into the table, without the rows that its deletion vector names."""
    facts = {"path": path, "partitionValues": {}, "size": size, "modificationTime": _now(), "dataChange": True}
    deleted = {"deletionVector": vector} if vector else {}
    return {"add": facts | deleted | {"stats": json.dumps(statistics)}}


def commit(
    url: str, version: int, step: Step, actions: Sequence[Action], metrics: dict[str, int], operation: str = "MERGE"
) -> bool:
    """Commit as this version; False if somebody else has made it meanwhile."""
    info = {
        "timestamp": _now(),
        "operation": operation,
        "operationParameters": {},
        "readVersion": version - 1,
        "isolationLevel": "Serializable",
        "isBlindAppend": False,
        "operationMetrics": {name: str(count) for name, count in metrics.items()},
        PROVENANCE: step.text(),
        "engineInfo": "tidemark",
    }
    transaction = {"appId": APPLICATION, "version": step.mark, "lastUpdated": _now()}
    lines = [{"commitInfo": info}, {"txn": transaction}, *actions]
    content = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    if not storage.create(url, entry(version), content.encode()):
        return False
    if version % CHECKPOINT_EVERY == 0:
        open_table(url).create_checkpoint()
    return True


def _now() -> int:
    return int(time.time() * 1000)
