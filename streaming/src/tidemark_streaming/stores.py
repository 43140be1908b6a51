"""Small objects in a folder, local or on S3, opened and complained about the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from tidemark_contract.s3 import S3Access, lake_error

_LOCAL = "file://"


def local_url(folder: Path) -> str:
    """Name a folder by its letters: of `as_uri` Flink would take the %20 for part of the name."""
    return f"{_LOCAL}{folder}"


def open_store(url: str) -> ObjectStore:
    """Open the folder that a file:// or s3:// URL names; LakeUnavailable, LakeRefused."""
    with told(url):
        if url.startswith(_LOCAL):
            return LocalStore(Path(url.removeprefix(_LOCAL)), mkdir=True)
        return S3Store.from_url(url, **S3Access.read().obstore())


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what the store says into an error that says what to do."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise lake_error(place, str(error)) from error
