"""Adoption: the files of a finished copy become a silver table's whole content, in one commit."""

import json
import time
from collections.abc import Iterator

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
from tidemark_jobs.statistics import bounds

ATTEMPTS = 5


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
    files = [
        pq.ParquetFile(storage.open_file(f"{path}/{folder}", file.name))
        for file in storage.data_files(f"{path}/{folder}")
    ]
    if not counted:
        return sum(file.metadata.num_rows for file in files)
    return sum(pc.sum(file.read(columns=["_count"])["_count"]).as_py() or 0 for file in files)


def _adds(path: str, folder: str) -> Iterator[AddAction]:
    for file in storage.data_files(f"{path}/{folder}"):
        footer = pq.read_metadata(storage.open_file(f"{path}/{folder}", file.name))
        yield AddAction(
            path=f"{folder}/{file.name}",
            size=file.size,
            partition_values={},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps(bounds(footer)),
        )
