"""A mart built anew from a chosen mark, beside the one that is there; it takes its place only when it is sound.

New files lie in the mart's folder before any of them is in its log: a run that is cut off leaves the mart as it was.
One log entry, that counts only as the successor of the version that was looked at, brings all of them in.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from deltalake.exceptions import TableNotFoundError
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from tidemark_contract.errors import ConfigurationError, LeaseTaken, NotEqual
from tidemark_contract.layout import Layout
from tidemark_contract.marks import format_lsn
from tidemark_jobs import storage
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.gold.marts import TRANSFORMS, Tables, built, lease_of, named, opened
from tidemark_jobs.leases import lease
from tidemark_jobs.logs import log
from tidemark_jobs.reader import find_mark, read_files
from tidemark_jobs.run import Run
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.commit import commit, removed
from tidemark_jobs.upsert.place import NotWritable, Place, open_place
from tidemark_jobs.upsert.written import Written, written_files


@dataclass(frozen=True)
class Staged:
    """A mart's new rows, as files that are in no log yet."""

    mart: str
    place: Place  # the mart as it was looked at before
    folder: str
    files: Sequence[Written]
    rows: int  # as they were computed
    hashes: object  # the sum of theirs, then


def backfill(run: Run) -> dict[str, object]:
    """Build the named marts (default: all that are there) anew from one mark, check them, and swap each in."""
    published = find_mark(run.control, run.job.mark)
    names = named(run) if run.job.tables else built(run.layout)
    if not names:
        raise ConfigurationError(f"no mart of {run.spec.name} was built yet: `tidemark gold` builds them")
    tables = opened(run, names, published)
    versions = {name: _backfilled(run, name, tables, published) for name in names}
    return {
        "job": "backfill",
        "source": run.spec.name,
        "mark": published.mark.id,
        "lsn": format_lsn(published.mark.lsn),
        "taken_at": published.mark.taken_at.isoformat(),
        "marts": versions,
        "published": names,
    }


def _backfilled(run: Run, name: str, tables: Tables, published: PublishedMark) -> int:
    rows = TRANSFORMS[name](tables.of(name))
    with lease(run.layout, lease_of(name)):
        staged = stage(run.layout, name, rows)
        try:
            check(staged, rows)
            find_mark(run.control, published.mark.id)  # keys may have been erased meanwhile, and the mark with them
            version = swap(staged, published)
        except BaseException:
            drop(staged)
            raise
    log("mart_swapped", mart=name, mark=published.mark.id, version=version, rows=staged.rows)
    return version


def stage(layout: Layout, name: str, rows: DataFrame) -> Staged:
    """Write a mart's rows beside it; refused before when their columns are others than the mart's."""
    place = _place(layout, name)
    _check_columns(name, place, rows)
    folder = f"backfill-{uuid.uuid4()}"  # no leading underscore: VACUUM would never look into it
    seen = Observation()
    rows.observe(seen, *_counted(rows)).write.parquet(f"{place.url}/{folder}")
    found = seen.get
    files = list(written_files(place.url, folder))
    staged = Staged(name, place, folder, files, found["rows"], found["hashes"])
    log("mart_staged", mart=name, rows=staged.rows, files=len(staged.files))
    return staged


def check(staged: Staged, rows: DataFrame) -> None:
    """Read them back: what was written is what was computed. Nothing takes the place of something only if one asks."""
    columns = ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in rows.schema.fields)
    urls = [f"{file.url}/{file.path}" for file in staged.files]
    written = read_files(rows.sparkSession, columns, urls) if urls else rows.limit(0)
    counted = written.agg(*_counted(written)).first()
    if counted is None or tuple(counted) != (staged.rows, staged.hashes):
        raise NotEqual(f"mart {staged.mart}: {staged.rows} rows were computed, others were written; it is as it was")
    if not staged.rows and staged.place.rows:
        raise ConfigurationError(
            f"mart {staged.mart} would lose all its {staged.place.rows} rows: if that is right, `tidemark gold` does it"
        )


def swap(staged: Staged, published: PublishedMark) -> int:
    """Put the staged rows in the place of all others, in one commit; LeaseTaken when another was first."""
    place, mark = staged.place, published.mark
    actions = [*map(removed, place.files), *(action for file in staged.files for action in file.adds())]
    step = Step("", mark.id, mark.nonce, staged.rows)
    metrics = {"numOutputRows": staged.rows}
    if not commit(place.url, place.version + 1, step, actions, metrics, operation="WRITE"):
        raise LeaseTaken(f"mart {staged.mart} was built by somebody else meanwhile: it is left as they made it")
    return place.version + 1


def drop(staged: Staged) -> None:
    """Remove files that have not become the mart's."""
    within = f"{staged.place.url}/{staged.folder}"
    for stored in storage.list_objects(within):
        storage.delete(within, stored.name)


def _place(layout: Layout, name: str) -> Place:
    try:
        return open_place(layout.gold(name))
    except TableNotFoundError as error:
        raise ConfigurationError(f"mart {name} was never built: `tidemark gold {name}` does it") from error
    except NotWritable as error:
        raise ConfigurationError(f"mart {name}: {error}") from error


def _check_columns(name: str, place: Place, rows: DataFrame) -> None:
    fields = json.loads(place.table.schema().to_json())["fields"]
    there = [(field["name"], field["type"]) for field in fields]
    now = [(field["name"], field["type"]) for field in rows.schema.jsonValue()["fields"]]
    if there != now:
        raise ConfigurationError(
            f"mart {name} has other columns by now ({_listed(now)}) than the one that is there ({_listed(there)}): "
            f"`tidemark gold {name}` builds it with the new ones, once its readers know them"
        )


def _listed(columns: Sequence[tuple[str, object]]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns)


def _counted(rows: DataFrame) -> tuple[Column, Column]:
    hashes = F.sum(F.xxhash64(*(f"`{name}`" for name in rows.columns)).cast("decimal(38,0)"))
    return F.count(F.lit(1)).alias("rows"), hashes.alias("hashes")
