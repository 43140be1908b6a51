"""Flink's REST interface, as far as a pipeline needs it."""

import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from tidemark_contract.errors import RetryableError

_TIMEOUT_S = 10.0
# The JobManager is on this machine: a proxy of the environment must not get between.
_OPENER = build_opener(ProxyHandler({}))


class FlinkUnavailable(RetryableError):
    """The JobManager does not answer, or refuses a request."""


class FlinkBusy(FlinkUnavailable):
    """The JobManager has not answered in time; it may a little later."""


Answer = TypeVar("Answer")


def unless_busy(ask: Callable[[], Answer]) -> Answer | None:
    """Give an answer, or None when it takes too long: for those who ask again until their own time is over."""
    try:
        return ask()
    except FlinkBusy:
        return None


class Rest:
    """One JobManager, by its address `http://host:port`."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> Any:
        """Read a resource."""
        return self._send(Request(self.address + path))

    def post(self, path: str, body: dict[str, object]) -> Any:
        """Send a command."""
        headers = {"Content-Type": "application/json"}
        return self._send(Request(self.address + path, json.dumps(body).encode(), headers, method="POST"))

    def patch(self, path: str) -> Any:
        """Change a resource."""
        return self._send(Request(self.address + path, b"", method="PATCH"))

    def _send(self, request: Request) -> Any:
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as response:
                return json.loads(response.read() or b"{}")
        except HTTPError as error:
            detail = error.read().decode(errors="replace")[:500]
            raise FlinkUnavailable(f"{request.full_url}: {error.code} {detail}") from error
        except (URLError, OSError, ValueError) as error:
            late = isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)
            raise (FlinkBusy if late else FlinkUnavailable)(f"{request.full_url}: {error}") from error
