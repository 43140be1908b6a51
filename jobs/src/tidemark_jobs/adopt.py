"""Adoption: the files of a finished copy become a silver table's whole content, in one commit."""

from collections.abc import Iterator

import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_contract.specs import TableSpec
from tidemark_jobs import storage
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.logs import log
from tidemark_jobs.silver import Standing, Step, new_schema, standing
from tidemark_jobs.statistics import bounds
from tidemark_jobs.upsert.commit import Action, added_file, commit, removed
from tidemark_jobs.upsert.data_files import active_files

ATTEMPTS = 5


def adopt(path: str, spec: TableSpec, folder: str, mark: Mark, rows: int, *, since: int) -> Standing:
    """Make the files in a folder below a table its whole content, and its columns the spec's; give where it stands.

    What an earlier run did that was cut off, after the version `since`, is found and not done again.
    """
    for _ in range(ATTEMPTS):
        if tail := standing(path, since).since_adoption(mark.nonce):
            return tail
        table = open_table(path)
        step = Step(base="", mark=mark.id, nonce=mark.nonce, rows=rows)
        actions = [*new_schema(table, spec), *map(removed, active_files(path, table.version())), *_adds(path, folder)]
        # If not, somebody else, a compaction maybe, has committed meanwhile.
        if commit(path, table.version() + 1, step, actions, {"numOutputRows": rows}, operation="WRITE"):
            log("copy_adopted", path=path, mark=mark.id, rows=rows)
            return Standing(table.version() + 1, ())
    raise LakeUnavailable(f"{path} is rewritten by others all the time: its copy lost {ATTEMPTS} races")


def count_rows(path: str, folder: str, *, counted: bool) -> int:
    """Count the rows in a copy's folder; `counted` rows, a bag's, as often as they say that they are there."""
    files = [
        pq.ParquetFile(storage.open_file(f"{path}/{folder}", file.name))
        for file in storage.data_files(f"{path}/{folder}")
    ]
    if not counted:
        return sum(file.metadata.num_rows for file in files)
    return sum(pc.sum(file.read(columns=["_count"])["_count"]).as_py() or 0 for file in files)


def _adds(path: str, folder: str) -> Iterator[Action]:
    for file in storage.data_files(f"{path}/{folder}"):
        footer = pq.read_metadata(storage.open_file(f"{path}/{folder}", file.name))
        yield added_file(f"{folder}/{file.name}", file.size, bounds(footer))
