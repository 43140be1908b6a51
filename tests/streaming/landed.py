"""What a reader finds in a landing folder."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

_NAME = re.compile(r"part-([0-9a-f-]{36})-0-([0-9]+)")


class Landed:
    """One incarnation's folder, by its URL."""

    def __init__(self, url: str) -> None:
        self.folder = Path(url.removeprefix("file://"))

    def names(self) -> list[tuple[int, str]]:
        """The files, as (counter, uuid), in the order of the counter; none before there is a folder, with the first."""
        found = [_NAME.fullmatch(file.name) for file in self.folder.glob("[!.]*")]
        assert all(found), "a name that no reader knows"
        return sorted((int(match[2]), match[1]) for match in found if match)

    def hidden(self) -> list[str]:
        return sorted(file.name for file in self.folder.glob(".*"))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """One table's rows without its schema rows, in file order, maps as dicts."""
        files = [self.folder / f"part-{uuid}-0-{counter}" for counter, uuid in self.names()]
        wanted = [("table_name", "=", table), ("op", "!=", "s")]
        rows = [row for file in files for row in pq.read_table(file, filters=wanted).to_pylist()]
        for row in rows:
            row["before"] = row["before"] if row["before"] is None else dict(row["before"])
            row["after"] = row["after"] if row["after"] is None else dict(row["after"])
        return rows


def eventually(seen: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Return when it is seen; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, f"after {seconds} s: not {what}"
        time.sleep(0.1)
