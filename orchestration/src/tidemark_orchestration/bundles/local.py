"""Versions of the DAG files on a disk: each in a folder of its own, whole from the moment it is there."""

import os
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

from tidemark_orchestration.bundles.store import Store

VERSIONS = "versions"
CURRENT = "current"
_HALF = ".fetching-"
_KEPT = 3
_ABANDONED_S = 3600.0
_LINK_ABANDONED_S = 60.0  # a link that is made is renamed at once


def materialize(store: Store, version: str, below: Path) -> Path:
    """Give the folder of a version, fetched if it is not there yet; many may do so at once, or be cut off."""
    target = below / version
    if target.exists():
        target.touch()  # it is in use
        return target
    below.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_HALF, dir=below) as half:
        whole = Path(half) / version
        store.fetch(version, whole)
        try:
            whole.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target


def tidy(below: Path) -> None:
    """Remove all but the versions that were wanted last, and what those who were cut off have left.

    The one before the newest stays: somebody may have its files open, or not have looked for a newer one yet.
    """
    used = _last_used(below)
    half = [folder for folder in used if folder.name.startswith(_HALF)]
    old = sorted(used.keys() - half, key=used.__getitem__, reverse=True)[_KEPT:]
    abandoned = [folder for folder in half if used[folder] < time.time() - _ABANDONED_S]
    for folder in (*old, *abandoned):
        shutil.rmtree(folder, ignore_errors=True)


def _last_used(below: Path) -> dict[Path, float]:
    """Give when each folder was last wanted; one that somebody else with the same disk takes away has gone."""
    used = {}
    for folder in below.iterdir():
        with suppress(FileNotFoundError):
            used[folder] = folder.stat().st_mtime
    return used


def bring_current(store: Store, folder: Path) -> str:
    """Let `folder/current`, a link, lead to the promoted version, in one step; give the version."""
    version, link = store.current(), folder / CURRENT
    materialize(store, version, folder / VERSIONS)
    _sweep(folder)
    leads_to = f"{VERSIONS}/{version}"
    if not link.is_symlink() or os.readlink(link) != leads_to:
        new = folder / f".{CURRENT}-{uuid.uuid4()}"
        new.symlink_to(leads_to)
        new.replace(link)
        tidy(folder / VERSIONS)
    return version


def _sweep(folder: Path) -> None:
    """Remove the links of those who were killed before they had renamed theirs."""
    for link in folder.glob(f".{CURRENT}-*"):
        with suppress(FileNotFoundError):  # another one was first
            if link.lstat().st_mtime < time.time() - _LINK_ABANDONED_S:
                link.unlink()
