"""The checkpoints and savepoints of one incarnation, local or on S3: which is newest, which can go.

Flink counts checkpoints through an incarnation, across restores, and savepoints by the same count, which stands at the
start of each `_metadata` file: the order needs no clock.
"""

import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tidemark_streaming.stores import local_url, open_store, told

_MAGIC = 0x4960672D
_HEADER = struct.Struct(">iiq")
_METADATA = re.compile(r"([^/]+/chk-\d+|savepoint-[^/]+)/_metadata")
_KEPT = 3


@dataclass(frozen=True, order=True)
class Checkpoint:
    """A completed checkpoint or savepoint: its number, and the URL of the folder with its `_metadata`."""

    number: int
    url: str


def completed(root: str) -> list[Checkpoint]:
    """List what is complete below the URL of a folder, oldest first; what can't be read was not completed."""
    return sorted(_read(root))


def newest(root: str) -> Checkpoint | None:
    """Give the one to restore from, None when there is none."""
    return max(completed(root), default=None)


def prune(folder: Path) -> None:
    """Remove all but the newest few of a local folder. Only while no job runs: a running one owns its folder."""
    root = local_url(folder)
    kept = {folder / checkpoint.url.removeprefix(f"{root}/") for checkpoint in completed(root)[-_KEPT:]}
    for each in [*folder.glob("*/chk-*"), *folder.glob("savepoint-*")]:
        if each not in kept:
            shutil.rmtree(each)
    for job in folder.glob("*"):
        if job.is_dir() and not job.name.startswith("savepoint-") and not list(job.glob("chk-*")):
            shutil.rmtree(job)


def _read(root: str) -> Iterator[Checkpoint]:
    store = open_store(root)
    with told(root):
        entries = [entry for page in store.list(return_arrow=False) for entry in page]
        for entry in entries:
            found = _METADATA.fullmatch(entry["path"])
            if not found or entry["size"] < _HEADER.size:
                continue
            magic, _, number = _HEADER.unpack(bytes(store.get_range(entry["path"], start=0, length=_HEADER.size)))
            if magic == _MAGIC:
                yield Checkpoint(number, f"{root}/{found[1]}")
