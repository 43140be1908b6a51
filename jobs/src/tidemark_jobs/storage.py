"""Objects in the lake, on `file://` and `s3://` alike."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
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


def open_file(url: str, name: str) -> obstore.ReadableFile:
    """Open an object as a seekable file."""
    return obstore.open_reader(open_store(url), name)
