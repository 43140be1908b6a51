"""The numbers of a stream's incarnations: one is taken at each start without state, and never given twice."""

import json
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from obstore.exceptions import AlreadyExistsError

from tidemark_contract import s3
from tidemark_contract.layout import Layout
from tidemark_streaming.stores import open_store, told

_FOLDER = "incarnations"


class Incarnations:
    """The claims of one source: `incarnations/000001`, … below `Layout.claims`, each created only once."""

    def __init__(self, layout: Layout) -> None:
        self._url = layout.claims
        self._store = open_store(layout.claims)

    def current(self) -> int:
        """Give the highest number taken, 0 when there is none; LakeUnavailable, LakeRefused."""
        with told(self._url):
            listing = self._store.list(prefix=_FOLDER, return_arrow=False)
            return max((int(entry["path"].rpartition("/")[2]) for page in listing for entry in page), default=0)

    def take(self) -> int:
        """Take the next free number: whoever creates its object first has it; LakeUnavailable, LakeRefused."""
        number = self.current() + 1
        while not self.claim(number):
            number += 1
        return number

    def claim(self, number: int, facts: Mapping[str, str] | None = None) -> bool:
        """Take this number, unless it is taken; say whether it is ours now. `facts` stand in the claim."""
        taken = {"host": socket.gethostname(), "pid": os.getpid(), "time": datetime.now(UTC).isoformat()}
        content, name = json.dumps(taken | dict(facts or {})).encode(), _name(number)
        return s3.insist(lambda: self._put(name, content))

    def facts(self, number: int) -> dict[str, str]:
        """Read what stands in the claim of a number that is taken."""
        with told(self._url):
            return dict(json.loads(bytes(self._store.get(_name(number)).bytes())))

    def _put(self, name: str, content: bytes) -> bool:
        with told(self._url):
            try:
                self._store.put(name, content, mode="create")
            except AlreadyExistsError:
                # Ours, if the answer was lost and the request repeated.
                return bytes(self._store.get(name).bytes()) == content
        return True


def _name(number: int) -> str:
    return f"{_FOLDER}/{number:06d}"
