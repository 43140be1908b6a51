"""Adoption: the files of a finished copy become a silver table's whole content, in one commit."""

import json
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_jobs import storage
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.logs import log
from tidemark_jobs.silver import APPLICATION, Standing, Step, standing

ATTEMPTS = 5

_STATISTICS = 32  # columns, as Delta does


def adopt(path: str, folder: str, mark: Mark, rows: int, *, since: int) -> Standing:
    """Make the files in a folder below a table its whole content; give where it stands from there on.

    What an earlier run did that was cut off, after the version `since`, is found and not done again.
    """
    for _ in range(ATTEMPTS):
        if tail := standing(path, since).since_adoption(mark.nonce):
            return tail
        try:
            version = _replace_content(path, folder, mark, rows)
        except CommitFailedError:  # somebody else, a compaction maybe, has committed meanwhile
            continue
        log("copy_adopted", path=path, mark=mark.id, rows=rows)
        return Standing(version, ())
    raise LakeUnavailable(f"{path} is rewritten by others all the time: its copy lost {ATTEMPTS} races")


def _replace_content(path: str, folder: str, mark: Mark, rows: int) -> int:
    """Commit on top of exactly the version that is read; CommitFailedError changes nothing."""
    table = open_table(path)
    before = table.version()
    step = Step(base="", mark=mark.id, nonce=mark.nonce, rows=rows)
    properties = CommitProperties(
        custom_metadata={"tidemark": step.text()},
        max_commit_retries=0,
        app_transactions=[Transaction(APPLICATION, mark.id)],
    )
    table.create_write_transaction(list(_adds(path, folder)), "overwrite", table.schema(), commit_properties=properties)
    return before + 1  # no retries: it is the next version, or an error


def count_rows(path: str, folder: str, *, counted: bool) -> int:
    """Count the rows in a copy's folder; `counted` rows, a bag's, as often as they say that they are there."""
    files = [pq.ParquetFile(storage.open_file(f"{path}/{folder}", file.name)) for file in _files(path, folder)]
    if not counted:
        return sum(file.metadata.num_rows for file in files)
    return sum(pc.sum(file.read(columns=["_count"])["_count"]).as_py() or 0 for file in files)


def _files(path: str, folder: str) -> Iterator[storage.StoredObject]:
    for file in storage.list_objects(f"{path}/{folder}"):
        if file.name.endswith(".parquet") and not file.name.startswith((".", "_")):
            yield file


def _adds(path: str, folder: str) -> Iterator[AddAction]:
    for file in _files(path, folder):
        footer = pq.read_metadata(storage.open_file(f"{path}/{folder}", file.name))
        yield AddAction(
            path=f"{folder}/{file.name}",
            size=file.size,
            partition_values={},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps(_statistics(footer)),
        )


def _statistics(footer: pq.FileMetaData) -> dict[str, Any]:
    """Give a file's row count, and the bounds of its first columns, in Delta's form."""
    lowest: dict[str, Any] = {}
    highest: dict[str, Any] = {}
    for number, name in enumerate(footer.schema.to_arrow_schema().names[:_STATISTICS]):
        if footer.schema.column(number).path != name:
            break  # a nested column: later numbers are of other columns
        groups = [footer.row_group(g).column(number).statistics for g in range(footer.num_row_groups)]
        lows, highs = [_bound(s and s.min) for s in groups], [_bound(s and s.max) for s in groups]
        if groups and None not in lows and None not in highs:
            lowest[name], highest[name] = min(lows, key=_plain), max(highs, key=_plain)
    return {"numRecords": footer.num_rows, "minValues": lowest, "maxValues": highest}


def _plain(bound: Any) -> Any:
    """All bounds of one column have one type, which the type checker cannot know."""
    return bound


def _bound(value: object) -> int | str | None:
    """Give a bound as Delta writes it; None for types whose form could be rounded to the wrong side."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return value if isinstance(value, str) and len(value) <= _STATISTICS else None
