"""Looking, planning and telling, again and again; what cannot be done now is told, and tried at the next look."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tidemark_orchestration.scaler.plan import Bounds, Steps, Workers, plan


class Fleet(Protocol):
    """Where workers are started; each ends by itself."""

    def count(self) -> int:
        """Count those that run, or were asked for."""

    def start(self, number: int) -> None:
        """Start so many more."""


class Control(Protocol):
    """What asks and tells workers."""

    def look(self, asked_for: int) -> Workers:
        """Say what there is."""

    def tell(self, steps: Steps) -> None:
        """Let them do it."""


@dataclass
class Scaler:
    """One queue's. It has fewer workers only when there was less to do for all of `patience_s`."""

    tasks: Callable[[], int]
    control: Control
    fleet: Fleet
    bounds: Bounds
    patience_s: float
    clock: Callable[[], float] = time.monotonic
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def look(self) -> Steps:
        """Look once, and do what is to be done."""
        tasks, workers = self._most_of_late(self.tasks()), self.control.look(self.fleet.count())
        steps = plan(self.bounds, tasks, workers)
        self.control.tell(steps)
        if steps.start:
            self.fleet.start(steps.start)
        return steps

    def _most_of_late(self, tasks: int) -> int:
        now = self.clock()
        self._seen.append((now, tasks))
        while self._seen[0][0] < now - self.patience_s:
            self._seen.popleft()
        return max(seen for _, seen in self._seen)
