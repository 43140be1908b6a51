"""The data files of a Delta table as its log has them, with the deletion vectors that delta-rs does not show.

Source: the Delta protocol, sections "Action Reconciliation", "Deletion Vectors" and "Checkpoints".
"""

import io
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from tidemark_jobs import storage

_LOG = "_delta_log"
_READERS = 16  # commits read at once: on S3 each is a round trip
Action = dict[str, Any]


@dataclass(frozen=True)
class DataFile:
    """One active file: its `add` action, word for word, for a `remove` has to name the same deletion vector."""

    add: Action

    @property
    def path(self) -> str:
        """The name below the table's folder."""
        return str(self.add["path"])

    @property
    def deletion_vector(self) -> Action | None:
        """The descriptor of the rows that are deleted."""
        return self.add.get("deletionVector")

    @property
    def statistics(self) -> Action:
        """Row count and bounds; empty when nobody wrote any."""
        return dict(json.loads(self.add.get("stats") or "{}"))

    def may_hold(self, lowest: str, highest: str) -> bool:
        """Tell whether a `_key` in the closed range can be in the file."""
        facts = self.statistics
        first, last = facts.get("minValues", {}).get("_key"), facts.get("maxValues", {}).get("_key")
        return first is None or last is None or (first <= highest and lowest <= last)


def active_files(url: str, version: int) -> list[DataFile]:
    """Give the files of a table at a version."""
    start, files = _checkpoint(url)
    with ThreadPoolExecutor(_READERS) as pool:
        for commit in pool.map(lambda number: _commit(url, number), range(start + 1, version + 1)):
            _apply(files, commit)
    return [DataFile(add) for add in files.values()]


def removed_paths(url: str) -> set[str]:
    """Give the files that some version of a table had, as far as its log still tells, and that were taken out."""
    paths: set[str] = set()
    for stored in storage.list_objects(f"{url}/{_LOG}"):
        if stored.name.endswith(".json") and not stored.name.startswith("."):
            actions = [json.loads(line) for line in _must_read(url, f"{_LOG}/{stored.name}").splitlines() if line]
            paths |= {action["remove"]["path"] for action in actions if "remove" in action}
        elif stored.name.endswith(".checkpoint.parquet"):
            rows = pq.read_table(io.BytesIO(_must_read(url, f"{_LOG}/{stored.name}")), columns=["remove"])["remove"]
            paths |= {remove["path"] for remove in rows.to_pylist() if remove and remove.get("path")}
    return paths


def _checkpoint(url: str) -> tuple[int, dict[tuple[str, str], Action]]:
    """Give the newest checkpoint's version and files; -1 and nothing while there is none."""
    hint = storage.read(url, f"{_LOG}/_last_checkpoint")
    if hint is None:
        return -1, {}
    facts = json.loads(hint)
    version, parts = int(facts["version"]), facts.get("parts")
    stem = f"{_LOG}/{version:020d}.checkpoint"
    names = [f"{stem}.{n:010d}.{parts:010d}.parquet" for n in range(1, parts + 1)] if parts else [f"{stem}.parquet"]
    files: dict[tuple[str, str], Action] = {}
    for name in names:
        adds = pq.read_table(io.BytesIO(_must_read(url, name)), columns=["add"])["add"]
        _apply(files, ({"add": _without_nulls(add)} for add in adds.to_pylist() if add and add.get("path")))
    return version, files


def _without_nulls(add: Action) -> Action:
    """Give a checkpoint's row as the log writes it: maps are lists of pairs there, and what is not set is NULL."""
    found = {name: value for name, value in add.items() if value is not None and not name.endswith("_parsed")}
    if "deletionVector" in found:
        found["deletionVector"] = {name: v for name, v in found["deletionVector"].items() if v is not None}
    for name in ("partitionValues", "tags"):
        if name in found:
            found[name] = dict(found[name])
    return found


def _commit(url: str, version: int) -> list[Action]:
    lines = _must_read(url, f"{_LOG}/{version:020d}.json").decode().splitlines()
    return [json.loads(line) for line in lines if line]


def _must_read(url: str, name: str) -> bytes:
    content = storage.read(url, name)
    if content is None:
        raise FileNotFoundError(f"{url}/{name} is missing: the table's log has a gap")
    return content


def _apply(files: dict[tuple[str, str], Action], actions: Iterable[Action]) -> None:
    for kind, action in _file_actions(actions):
        vector = action.get("deletionVector") or {}
        key = (action["path"], f"{vector.get('storageType')}{vector.get('pathOrInlineDv')}@{vector.get('offset')}")
        if kind == "add":
            files[key] = action
        else:
            files.pop(key, None)


def _file_actions(actions: Iterable[Action]) -> Iterator[tuple[str, Action]]:
    """In one commit the order of actions says nothing: what goes is looked at before what comes."""
    listed = list(actions)
    for kind in ("remove", "add"):
        for action in listed:
            if kind in action:
                yield kind, action[kind]
