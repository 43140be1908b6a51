"""The checkpoints and savepoints of one incarnation, on local disk: which is newest, which can go.

Flink counts checkpoints through an incarnation, across restores, and savepoints by the same count, which stands at the
start of each `_metadata` file: the order needs no clock.
"""

import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = 0x4960672D
_HEADER = struct.Struct(">iiq")
_KEPT = 3


@dataclass(frozen=True, order=True)
class Checkpoint:
    """A completed checkpoint or savepoint: its number, and the folder with its `_metadata`."""

    number: int
    folder: Path


def completed(root: Path) -> list[Checkpoint]:
    """List what is complete below a folder, oldest first; what can't be read was not completed."""
    return sorted(_read(root))


def newest(root: Path) -> Checkpoint | None:
    """Give the one to restore from, None when there is none."""
    return max(completed(root), default=None)


def prune(root: Path) -> None:
    """Remove all but the newest few. Only while no job runs: a running one owns its folder."""
    kept = {checkpoint.folder for checkpoint in completed(root)[-_KEPT:]}
    for folder in [*root.glob("*/chk-*"), *root.glob("savepoint-*")]:
        if folder not in kept:
            shutil.rmtree(folder)
    for job in root.glob("*"):
        if job.is_dir() and not job.name.startswith("savepoint-") and not list(job.glob("chk-*")):
            shutil.rmtree(job)


def _read(root: Path) -> Iterator[Checkpoint]:
    for file in [*root.glob("*/chk-*/_metadata"), *root.glob("savepoint-*/_metadata")]:
        with file.open("rb") as stream:
            header = stream.read(_HEADER.size)
        if len(header) == _HEADER.size and _HEADER.unpack(header)[0] == _MAGIC:
            yield Checkpoint(_HEADER.unpack(header)[2], file.parent)
