"""The numbers of a stream's incarnations: one is taken at each start without state, and never given twice."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from tidemark_contract import s3
from tidemark_contract.layout import Layout
from tidemark_contract.s3 import S3Access, lake_error

if TYPE_CHECKING:
    from obstore.store import S3Config

_FOLDER = "incarnations"


class Incarnations:
    """The claims of one source: `incarnations/000001`, … below `Layout.claims`, each created only once."""

    def __init__(self, layout: Layout) -> None:
        self._url = layout.claims
        self._store = _open(layout.claims)

    def current(self) -> int:
        """Give the highest number taken, 0 when there is none; LakeUnavailable, LakeRefused."""
        with _told(self._url):
            listing = self._store.list(prefix=_FOLDER, return_arrow=False)
            return max((int(entry["path"].rpartition("/")[2]) for page in listing for entry in page), default=0)

    def take(self) -> int:
        """Take the next free number: whoever creates its object first has it; LakeUnavailable, LakeRefused."""
        number = self.current() + 1
        while not self._create(number):
            number += 1
        return number

    def _create(self, number: int) -> bool:
        taken = {"host": socket.gethostname(), "pid": os.getpid(), "time": datetime.now(UTC).isoformat()}
        content, name = json.dumps(taken).encode(), f"{_FOLDER}/{number:06d}"
        return s3.insist(lambda: self._put(name, content))

    def _put(self, name: str, content: bytes) -> bool:
        with _told(self._url):
            try:
                self._store.put(name, content, mode="create")
            except AlreadyExistsError:
                # Ours, if the answer was lost and the request repeated.
                return bytes(self._store.get(name).bytes()) == content
        return True


def _open(url: str) -> ObjectStore:
    with _told(url):
        if url.startswith("file://"):
            return LocalStore(Path(url.removeprefix("file://")), mkdir=True)
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
def _told(place: str) -> Iterator[None]:
    """Turn what the store says into an error that says what to do."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise lake_error(place, str(error)) from error
