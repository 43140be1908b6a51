"""Objects in the lake, on `file://` and `s3://` alike."""

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from tidemark_contract import s3
from tidemark_contract.errors import LakeRefused, LakeUnavailable, TidemarkError
from tidemark_contract.s3 import SCHEME, S3Access, lake_error


@dataclass(frozen=True)
class StoredObject:
    """One object: its name below the folder that was listed, its size in bytes, and when it was written."""

    name: str
    size: int
    modified: datetime


@cache
def open_store(url: str) -> ObjectStore:
    """Open the folder at a `file://` or `s3://` URL; a local one is made when it is missing."""
    parts = urlparse(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        try:
            return LocalStore(path, mkdir=True)
        except Exception as error:
            raise LakeUnavailable(f"{url} cannot be made or written: {error}") from error
    access = S3Access.read()
    with _told(url):
        return S3Store.from_url(url, **access.obstore())


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what the store says into an error that says what to do."""
    try:
        yield
    except TidemarkError:
        raise
    except (BaseError, OSError) as error:
        raise lake_error(url, str(error)) from error


def list_objects(url: str, prefix: str | None = None) -> Iterator[StoredObject]:
    """List every object below a folder, or below one of its folders: their names begin with that, too."""
    with _told(url):
        for batch in obstore.list(open_store(url), prefix):
            for meta in batch:
                yield StoredObject(str(meta["path"]), meta["size"], meta["last_modified"])


def folders(url: str, prefix: str) -> list[str]:
    """Name the folders in one of a folder's folders, which need not exist."""
    within = f"{prefix}/"
    names = {stored.name.removeprefix(within) for stored in list_objects(url, within)}
    return sorted({name.split("/")[0] for name in names if "/" in name})


def data_files(url: str) -> Iterator[StoredObject]:
    """List the Parquet files that a Spark job has left in a folder."""
    for file in list_objects(url):
        hidden = any(part.startswith((".", "_")) and "=" not in part for part in file.name.split("/"))
        if file.name.endswith(".parquet") and not hidden:
            yield file


def create(url: str, name: str, content: bytes) -> bool:
    """Create an object unless it exists; True if this call made it. Atomic among all writers.

    No two writers' contents are the same. So content that stands there already and is ours was put by this call: the
    answer was lost, and the request repeated.
    """
    return s3.insist(lambda: _create(url, name, content))


def _create(url: str, name: str, content: bytes) -> bool:
    with _told(url):
        try:
            obstore.put(open_store(url), name, content, mode="create")
        except AlreadyExistsError:
            return read(url, name) == content
    return True


def read(url: str, name: str) -> bytes | None:
    """Read an object whole; None when there is none."""
    with _told(url):
        try:
            return bytes(obstore.get(open_store(url), name).bytes())
        except FileNotFoundError:
            return None


def written_at(url: str, name: str) -> datetime | None:
    """Say when an object was written, by the store's clock; None when there is none."""
    with _told(url):
        try:
            written: datetime = obstore.head(open_store(url), name)["last_modified"]
        except FileNotFoundError:
            return None
        return written


def delete(url: str, name: str) -> None:
    """Delete an object; that it is gone already is fine."""
    s3.insist(lambda: _delete(url, name))


def _delete(url: str, name: str) -> None:
    with _told(url):
        try:
            obstore.delete(open_store(url), name)
        except FileNotFoundError:
            return


def is_versioned(url: str) -> bool:
    """Tell whether what is deleted from a folder lives on as an older version, as in a versioned bucket."""
    with _told(url):
        first = next(list_objects(url), None) if url.startswith(SCHEME) else None
        try:
            return first is not None and obstore.head(open_store(url), first.name).get("version") is not None
        except FileNotFoundError:  # a lease, renewed meanwhile
            return is_versioned(url)


def check_lake(lake: str) -> None:
    """Raise before anything is begun when a lake on S3 cannot be written, or lets two writers both win."""
    if not lake.startswith(SCHEME):
        return
    claims, name = f"{lake}/control/_claims", f"probe-{uuid.uuid4()}"
    create(claims, name, b"first")
    try:
        if create(claims, name, b"second"):
            raise LakeRefused(f"{lake}: its server ignores If-None-Match, so two syncs at once would lose changes")
    finally:
        delete(claims, name)


class ObjectFile(io.RawIOBase):
    """An object as a seekable file, for Arrow: obstore's own reader names `closed` in a way that Arrow refuses."""

    def __init__(self, store: ObjectStore, name: str) -> None:
        self._store, self._name = store, name
        self._size = int(obstore.head(store, name)["size"])
        self._position = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read at any place."""
        return True

    def tell(self) -> int:
        """Give the next byte's place."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer by one ranged read."""
        length = min(len(buffer), self._size - self._position)
        if length <= 0:
            return 0
        buffer[:length] = bytes(obstore.get_range(self._store, self._name, start=self._position, length=length))
        self._position += length
        return length


def open_file(url: str, name: str) -> ObjectFile:
    """Open an object as a seekable file."""
    return ObjectFile(open_store(url), name)
