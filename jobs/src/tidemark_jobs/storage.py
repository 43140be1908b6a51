"""Objects in the lake, on `file://` and `s3://` alike."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, S3Store

from tidemark_contract.errors import LakeUnavailable


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
    # The same switches that delta-rs and S3A read; plain http is for servers on loopback.
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return S3Store.from_url(url, client_options={"allow_http": plain})


def list_objects(url: str) -> Iterator[StoredObject]:
    """List every object below a folder."""
    for batch in obstore.list(open_store(url)):
        for meta in batch:
            yield StoredObject(str(meta["path"]), meta["size"], meta["last_modified"])


def create(url: str, name: str, content: bytes) -> bool:
    """Create an object unless it exists; True if this call made it. Atomic among all writers."""
    try:
        obstore.put(open_store(url), name, content, mode="create")
    except AlreadyExistsError:
        return False
    return True


def read(url: str, name: str) -> bytes | None:
    """Read an object whole; None when there is none."""
    try:
        return bytes(obstore.get(open_store(url), name).bytes())
    except FileNotFoundError:
        return None


def delete(url: str, name: str) -> None:
    """Delete an object; that it is gone already is fine."""
    try:
        obstore.delete(open_store(url), name)
    except FileNotFoundError:
        return


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
