"""A small disk for a server's log: a file system in memory, which only root can mount."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tidemark.local.postgres import EmbeddedPostgres


def can_mount() -> bool:
    """Tell whether this process may mount a file system: not every root may."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if _run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder):
            return False
        return not _run("umount", folder)


@contextmanager
def small_disk_for_the_log(server: EmbeddedPostgres, *, room_mb: int) -> Iterator[Callable[[], None]]:
    """Give the server a disk for its log that has so much room left; a call of what is given makes it large."""
    log = server.data.resolve() / "pg_wal"
    aside = log.parent.with_name("pg_wal.aside")
    server.stop()
    used = sum(file.stat().st_size for file in log.rglob("*") if file.is_file())
    _move(log, aside)
    owner = aside.stat()
    log.mkdir(mode=0o700)
    megabytes = used // 1_048_576 + 1 + room_mb
    assert not _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(log))
    try:
        os.chown(log, owner.st_uid, owner.st_gid)
        log.chmod(0o700)
        assert not _run("cp", "-a", f"{aside}/.", str(log))
        server.start()
        yield lambda: _make_room(log)
    finally:
        server.stop("immediate")
        shutil.rmtree(aside)
        assert not _run("cp", "-a", str(log), str(aside))
        assert not _run("umount", str(log))
        log.rmdir()
        _move(aside, log)
        server.start()


def _make_room(log: Path) -> None:
    assert not _run("mount", "-o", "remount,size=2g", str(log))


def _move(source: Path, target: Path) -> None:
    assert not _run("mv", str(source), str(target))


def _run(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode
