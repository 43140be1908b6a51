"""What a job says while it runs: JSON lines of its own, and whatever Java, Python and the system say beside them."""

import json
import logging
import signal
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

_KEPT_LINES = 20
_FRAME = ("ts", "level", "event")

Tell = Callable[[int, str], None]


class Words:
    """Passes each line on, with its level, the moment it comes; remembers the error that the job gave up with."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._failed: Mapping[str, Any] = {}
        self._others: deque[str] = deque(maxlen=_KEPT_LINES)

    def take(self, line: str) -> None:
        """Take one line of stderr, without its end."""
        event = read_object(line)
        if event is None or "event" not in event:
            self._others.append(line)
            self._tell(logging.INFO, line)
            return
        if event["event"] == "failed":
            self._failed = event
        level = logging.getLevelNamesMapping().get(str(event.get("level")).upper(), logging.INFO)
        self._tell(level, _sentence(event))

    def reason(self, code: int) -> str:
        """Say why the job ended as it did: in its own words, else by what is known from outside."""
        if "message" in self._failed:
            return str(self._failed["message"])
        if code < 0:
            return f"it was ended by {signal.Signals(-code).name}"
        last = next((line for line in reversed(self._others) if line.strip()), "nothing")
        return f"it ended with exit code {code} and gave no reason; the last that it said is: {last}"


def read_object(line: str) -> dict[str, Any] | None:
    """Read one line as a JSON object; None for anything else, half a line of a killed job too."""
    try:
        found = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _sentence(event: Mapping[str, Any]) -> str:
    facts = (f"{name}={value}" for name, value in event.items() if name not in _FRAME)
    return " ".join((str(event["event"]), *facts))
