"""When a process is asked to end: by SIGINT or SIGTERM."""

import signal
import time

_LOOK_EVERY_S = 0.1


class Ending:
    """Remembers that it was asked.

    No threading.Event: a handler runs in the thread that waits, perhaps while that holds the event's lock, and to set
    it would wait for this lock for ever.
    """

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def within(self, seconds: float) -> bool:
        """Wait so long, or until it is asked; say whether it was."""
        deadline = time.monotonic() + seconds
        while not self._asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_EVERY_S))
        return self._asked

    def _note(self, *_: object) -> None:
        self._asked = True
