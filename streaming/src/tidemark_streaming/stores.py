"""Small objects in a folder, local or on S3, opened and complained about the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from tidemark_contract.s3 import S3Access, lake_error


def open_store(url: str) -> ObjectStore:
    """Open the folder that a file:// or s3:// URL names; LakeUnavailable, LakeRefused."""
    with told(url):
        if url.startswith("file://"):
            return LocalStore(Path(unquote(url.removeprefix("file://"))), mkdir=True)
        return S3Store.from_url(url, **S3Access.read().obstore())


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what the store says into an error that says what to do."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise lake_error(place, str(error)) from error
