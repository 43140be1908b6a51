"""The numbers of a stream's incarnations: one is taken at each start without state, and never given twice."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.layout import Layout

_FOLDER = "incarnations"


class Incarnations:
    """The claims of one source: `incarnations/000001`, … below `Layout.claims`, each created only once."""

    def __init__(self, layout: Layout) -> None:
        self._url = layout.claims
        self._store = _open(layout.claims)

    def current(self) -> int:
        """Give the highest number taken, 0 when there is none; LakeUnavailable."""
        try:
            listing = self._store.list(prefix=_FOLDER, return_arrow=False)
            return max((int(entry["path"].rpartition("/")[2]) for page in listing for entry in page), default=0)
        except (BaseError, OSError) as error:
            raise LakeUnavailable(f"{self._url}/{_FOLDER}: cannot be listed: {_line(error)}") from error

    def take(self) -> int:
        """Take the next free number: whoever creates its object first has it; LakeUnavailable."""
        number = self.current() + 1
        while not self._create(number):
            number += 1
        return number

    def _create(self, number: int) -> bool:
        taken = {"host": socket.gethostname(), "pid": os.getpid(), "time": datetime.now(UTC).isoformat()}
        name = f"{_FOLDER}/{number:06d}"
        try:
            self._store.put(name, json.dumps(taken).encode(), mode="create")
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as error:
            raise LakeUnavailable(f"{self._url}/{name}: cannot be written: {_line(error)}") from error
        return True


def _open(url: str) -> ObjectStore:
    try:
        if url.startswith("file://"):
            return LocalStore(Path(url.removeprefix("file://")), mkdir=True)
        plain_http = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        return from_url(url, client_options={"allow_http": plain_http})
    except (BaseError, OSError) as error:
        raise LakeUnavailable(f"{url}: cannot be opened: {_line(error)}") from error


def _line(error: Exception) -> str:
    """Leave out obstore's second half, which says the same as a structure of many lines."""
    return " ".join(str(error).partition("Debug source:")[0].split())
