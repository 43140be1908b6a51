"""Landing files: what the stream has committed, and their registration as bronze in place.

The stream names a file `<incarnation>/part-<uuid>-0-<counter>` and commits files in the order of their counters, so
a reader that sees counter n can see every file below it. One listing does not have to: it may pass the place of file
n before n is committed and meet n+1 afterwards. Hence two listings: of the second is taken what is not newer than
what the first has seen.
"""

import json
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction

from tidemark_contract import s3
from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.deltalog import open_table, storage_options
from tidemark_jobs.failures import engines_told

_FILE = re.compile(r"(?P<incarnation>\d{6})/part-[0-9a-f-]+-\d+-(?P<counter>\d+)")


@dataclass(frozen=True, order=True)
class LandingFile:
    """One committed file of the stream; its order is the stream's."""

    incarnation: int
    counter: int
    name: str  # below the landing folder
    size: int
    modified: datetime


def committed_files(layout: Layout) -> list[LandingFile]:
    """List the files that are certain to have no unseen file before them, in the stream's order."""
    newest: dict[int, int] = {}
    for file in _list(layout):
        newest[file.incarnation] = max(newest.get(file.incarnation, -1), file.counter)
    return sorted(file for file in _list(layout) if file.counter <= newest.get(file.incarnation, -1))


class Landing:
    """The landing folder of one source, and how far it is registered as far as this process knows."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[int, int] = {}

    def register(self) -> int:
        """Add the files that bronze does not have yet, and give their number; safe for several at once.

        It is no matter who has added them: another run, or this one with a commit whose answer was lost. Asked over
        and over, it costs two listings while nothing new has landed.
        """
        landed = [file for file in committed_files(self._layout) if file.counter > self._counter(file)]
        added = 0
        while landed:
            bronze = open_bronze(self._layout)
            self._known |= {number: registered_counter(bronze, number) for number in {f.incarnation for f in landed}}
            lacking = [file for file in landed if file.counter > self._counter(file)]
            if not lacking:
                break
            added = added or len(lacking)
            s3.insist(partial(_commit, self._layout, bronze, lacking))
        return added

    def _counter(self, file: LandingFile) -> int:
        return self._known.get(file.incarnation, -1)


def open_bronze(layout: Layout) -> DeltaTable:
    """Open the source's changelog; made empty if it does not exist."""
    try:
        return open_table(layout.bronze)
    except TableNotFoundError:
        s3.insist(lambda: _make_bronze(layout.bronze))
        return open_table(layout.bronze)


def _make_bronze(url: str) -> None:
    """Make it; without effect when another run was first, or this one with a commit whose answer was lost."""
    with suppress(CommitFailedError), engines_told(url):
        DeltaTable.create(
            url,
            CHANGES,
            mode="ignore",
            configuration={"delta.dataSkippingStatsColumns": "commit_lsn"},
            storage_options=storage_options(url),
            commit_properties=CommitProperties(max_commit_retries=0),
        )


def _list(layout: Layout) -> Iterable[LandingFile]:
    for stored in storage.list_objects(layout.landing):
        if match := _FILE.fullmatch(stored.name):
            yield LandingFile(
                int(match["incarnation"]), int(match["counter"]), stored.name, stored.size, stored.modified
            )


def registered_counter(bronze: DeltaTable, incarnation: int) -> int:
    """Give the counter of the newest file of an incarnation that bronze has; -1 for none."""
    version = bronze.transaction_version(application(incarnation))
    return -1 if version is None else version


def application(incarnation: int) -> str:
    """Name an incarnation in bronze's log, where the counter of its newest file stands."""
    return f"landing-{incarnation:06d}"


def _commit(layout: Layout, bronze: DeltaTable, files: Sequence[LandingFile]) -> None:
    """Commit on top of the version that was read; without effect when another commit was first, or was this one."""
    newest = {file.incarnation: file.counter for file in files}  # files come in order
    properties = CommitProperties(
        max_commit_retries=0,
        app_transactions=[Transaction(application(number), counter) for number, counter in newest.items()],
    )
    with suppress(CommitFailedError), engines_told(layout.bronze):
        bronze.create_write_transaction(
            [_add(layout, file) for file in files], "append", bronze.schema(), commit_properties=properties
        )


def statistics(footer: pq.FileMetaData) -> dict[str, Any]:
    """Give what the log says of a file's rows: the bounds of the one column by which they are looked for."""
    column = footer.schema.to_arrow_schema().get_field_index("commit_lsn")
    groups = [footer.row_group(i).column(column).statistics for i in range(footer.num_row_groups)]
    return {
        "numRecords": footer.num_rows,
        "minValues": {"commit_lsn": min(group.min for group in groups)},
        "maxValues": {"commit_lsn": max(group.max for group in groups)},
        "nullCount": {"commit_lsn": 0},
    }


def _add(layout: Layout, file: LandingFile) -> AddAction:
    facts = statistics(pq.read_metadata(storage.open_file(layout.landing, file.name)))
    return AddAction(
        path=f"_landing/{file.name}",
        size=file.size,
        partition_values={},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps(facts),
    )
