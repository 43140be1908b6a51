"""What control tells of rows that are to go: changes in quarantine, keys that proofs have named."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake.exceptions import TableNotFoundError

from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.control import Control
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.erase.tables import delete, stays
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.storage import StoredObject
from tidemark_jobs.upsert.data_files import active_files, removed_paths

TABLES = ("quarantine", "proofs")
_YOUNG = timedelta(hours=1)
Row = dict[str, Any]


def clear(control: Control, wanted: Sequence[Wanted]) -> int:
    """Take wanted rows out of quarantine, and what proofs say of them out of their details; give the number of both."""
    by_table = {str(one.spec.table): one for one in wanted}
    quarantined = control.rewrite("quarantine", lambda row: None if tells(row, by_table) else row)
    named = control.rewrite("proofs", lambda row: {**row, "details": "[]"} if tells(row, by_table) else row)
    return quarantined + named


def tells(row: Row, wanted: Mapping[str, Wanted]) -> bool:
    """Tell whether a row of quarantine or of proofs tells of a row that is to go."""
    if row["table"] not in wanted:
        return False
    mine = wanted[row["table"]]
    if "raw" in row:
        change = json.loads(row["raw"])
        before, after = change.get("before") or {}, change.get("after") or {}
        return any(mine.row(texts) for texts in (before, after, {**before, **after}))
    keys = [detail["key"] for detail in json.loads(row["details"]) if isinstance(detail, dict)]
    return bool(np.any(mine.keys(pa.chunked_array([keys], pa.string()))))


def strip(layout: Layout, name: str) -> list[StoredObject]:
    """Leave of a control table its newest version, and of its files those: other sources' are left alone.

    One that no version has may still be on its way into the log, while it is young.
    """
    url = layout.control(name)
    try:
        table = open_table(url)
    except TableNotFoundError:  # nothing was ever quarantined, or proven
        return []
    gone = removed_paths(url)
    table.create_checkpoint()
    active = {file.path for file in active_files(url, table.version())}
    before, mine = datetime.now(UTC) - _YOUNG, f"source={layout.source}/"

    def is_left(stored: StoredObject) -> bool:
        if stored.name.startswith("_delta_log/"):
            return not stays(stored.name, set(), table.version())
        old = stored.name in gone or stored.modified < before
        return stored.name.startswith(mine) and stored.name not in active and old

    return delete(url, [stored for stored in storage.list_objects(url) if is_left(stored)])
