"""How much of the source's time a long reading may take: it works, then rests in proportion."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BURST_S = 15.0
"""So many seconds of work come before the first rest: small tables are read at once."""
FULL = 1.0
_LOOK_EVERY_S = 0.5


class Pace:
    """A share of one of the server's cores, for all threads that read together; a statement here keeps one core busy.

    `check` is called while it rests, and may raise.
    """

    def __init__(self, share: float = FULL, check: Callable[[], None] = lambda: None, burst_s: float = BURST_S) -> None:
        self._share, self._check, self._burst_s = share, check, burst_s
        self._began, self._worked = time.monotonic(), 0.0
        self._lock = threading.Lock()

    @contextmanager
    def work(self, keep: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Count a block as work, and rest after it, calling `keep` now and then: a session that is idle is ended."""
        began = time.monotonic()
        yield
        with self._lock:
            self._worked += time.monotonic() - began
        self._rest(keep)

    def _rest(self, keep: Callable[[], object]) -> None:
        while (left := self._due() - time.monotonic()) > 0:
            self._check()
            keep()
            time.sleep(min(left, _LOOK_EVERY_S))

    def _due(self) -> float:
        if self._share >= FULL:
            return self._began
        return self._began + (self._worked - self._burst_s) / self._share
