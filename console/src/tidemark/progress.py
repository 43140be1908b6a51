"""Live progress from log lines: a spinner with the newest one on a terminal, plain lines elsewhere."""

import json
import sys
from types import TracebackType
from typing import Self

from rich.status import Status
from rich.text import Text

from tidemark.children import Event, name_of
from tidemark.output import message_console

_FRAME = ("ts", "time", "level", "event", "message", "logger", "source", "exception")
_LOUD = ("warning", "error")


class Progress:
    """Shows what a job says while it works; for scripts (`raw`) its log lines go through as they are."""

    def __init__(self, title: str, *, raw: bool = False) -> None:
        """Name what is going on."""
        self._title = title
        self._raw = raw
        self._console = message_console()
        self._status = Status(Text(title), console=self._console) if self._console.is_terminal and not raw else None

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def show(self, event: Event) -> None:
        """Show one event."""
        if self._raw:
            print(json.dumps(event), file=sys.stderr, flush=True)
            return
        loud = event.get("level") in _LOUD
        line = Text(f"  {sentence(event)}", style="yellow" if loud else "dim")
        if self._status:
            self._status.update(Text(f"{self._title}: {sentence(event)}"))
        if loud or not self._status:
            self._console.print(line, soft_wrap=True)


def sentence(event: Event) -> str:
    """Write an event for a person: what happened, then its facts."""
    name = name_of(event).replace("_", " ")
    facts = ", ".join(
        _fact(key, value) for key, value in event.items() if key not in _FRAME and value not in (None, "")
    )
    return f"{name}: {facts}" if facts else name


def _fact(key: str, value: object) -> str:
    name = key.replace("_", " ")
    if key == "table":
        return str(value)
    if key in ("tables", "rows", "changes") and isinstance(value, int):
        return f"{value:,} {key}"
    if isinstance(value, float):
        return f"{name} {value:.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{name} {value:,}" if abs(value) >= 10_000 else f"{name} {value}"
    return f"{name} {value}"
