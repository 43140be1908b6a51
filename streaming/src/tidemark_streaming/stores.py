"""Small objects in a folder, local or on S3, opened and complained about the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from tidemark_contract import s3
from tidemark_contract.s3 import S3Access, lake_error

if TYPE_CHECKING:
    from obstore.store import S3Config


def open_store(url: str) -> ObjectStore:
    """Open the folder that a file:// or s3:// URL names; LakeUnavailable, LakeRefused."""
    with told(url):
        if url.startswith("file://"):
            return LocalStore(Path(unquote(url.removeprefix("file://"))), mkdir=True)
        access = S3Access.read()
        return S3Store.from_url(
            url,
            config=cast("S3Config", access.object_store()),
            client_options={
                "allow_http": access.plain_http,
                "connect_timeout": f"{s3.CONNECT_S}s",
                "timeout": f"{s3.ANSWER_S}s",
            },
            retry_config={"max_retries": s3.RETRIES, "retry_timeout": timedelta(seconds=s3.PATIENCE_S)},
        )


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what the store says into an error that says what to do."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise lake_error(place, str(error)) from error
