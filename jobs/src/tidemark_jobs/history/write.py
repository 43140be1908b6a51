"""Versions into a history, in one commit: those that are new, and those that ended in the place of what they were."""

import uuid
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from tidemark_jobs import silver
from tidemark_jobs.history.table import OPEN, columns_of, is_open, row_schema
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.apply import Overtaken
from tidemark_jobs.upsert.commit import Action, added, commit, removed, without
from tidemark_jobs.upsert.gathering import crowded, gathered
from tidemark_jobs.upsert.place import Place
from tidemark_jobs.upsert.rows import Leaving, find
from tidemark_jobs.upsert.written import Written, written_files


def write_versions(place: Place, versions: DataFrame, columns: StructType, step: Step) -> None:
    """Bring the versions of one step in; raises Overtaken, having changed nothing.

    One that ends is there already, as an open one: its `_from_mark` is an earlier mark's.
    """
    folder = f"fold-{uuid.uuid4()}"  # no leading underscore: VACUUM would never look into it
    whole = versions.withColumn(OPEN, F.col("_to_mark").isNull()).select(*[f"`{name}`" for name in columns.names])
    whole.write.partitionBy(OPEN).parquet(f"{place.url}/{folder}")
    files = list(written_files(place.url, folder))
    ended = [chunk for file in files if not _will_be_open(file) for chunk in _ended(file, step.mark)]
    found = find(place.url, [f for f in place.files if is_open(f)], pa.chunked_array(ended, pa.string()))
    leaving = [part.leaving for part in found]
    schema = silver.alteration(place.table, columns) if columns != columns_of(place.table) else []
    parts = [action for open_ in (True, False) for action in _part(place, files, leaving, open_=open_)]
    if not commit(place.url, place.version + 1, step, [*schema, *parts], {}):
        raise Overtaken(place.url)


def _part(place: Place, files: Sequence[Written], leaving: Sequence[Leaving], *, open_: bool) -> Iterator[Action]:
    """Change one part of the table: the open versions, or those that ended. Small files grow together, as in silver."""
    mine = [file for file in place.files if is_open(file) is open_]
    small = crowded(mine)
    yield from map(removed, small)
    for part in leaving:
        if part.file in mine and part.file not in small:
            for action in without(place.url, part):
                yield action
    coming = [action for file in files if _will_be_open(file) is open_ for action in file.adds()]
    coming += added(place.url, gathered(place.url, small, leaving, row_schema(place.table)))
    for action in coming:
        yield {"add": action["add"] | {"partitionValues": {OPEN: str(open_).lower()}}}


def _will_be_open(file: Written) -> bool:
    return f"/{OPEN}=true/" in file.path


def _ended(file: Written, mark: int) -> list[pa.Array]:
    """Give the keys of versions that were open until now; others came and ended in this step."""
    rows = file.read("_key", "_from_mark")
    return list(rows.filter(pc.not_equal(rows["_from_mark"], mark))["_key"].chunks)
