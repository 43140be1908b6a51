"""The log of a sync that runs in the background: its events, and a summary for each mark it published."""

import json
from dataclasses import dataclass
from pathlib import Path

from tidemark.children import Event, read_event


@dataclass(frozen=True)
class SyncLog:
    """One run's output, in one file."""

    file: Path

    def size(self) -> int:
        """Give its size in bytes: it has grown when there is something new."""
        return self.file.stat().st_size if self.file.exists() else 0

    def last_event(self) -> Event:
        """Give the last thing it said; empty when it has said nothing."""
        events = [event for line in self._lines() if (event := read_event(line))]
        return events[-1] if events else {}

    def marks(self) -> list[int]:
        """Give the marks that it published, in its order."""
        return [int(json.loads(line)["mark"]) for line in self._lines() if line.startswith('{"job"')]

    def _lines(self) -> list[str]:
        return self.file.read_text(errors="replace").splitlines() if self.file.exists() else []
