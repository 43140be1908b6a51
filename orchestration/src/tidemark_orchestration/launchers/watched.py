"""A job that runs elsewhere, looked at from time to time, by whoever waits for it: a task or a trigger."""

import logging
import time
from collections.abc import Generator
from dataclasses import dataclass

from tidemark_contract.errors import TidemarkError
from tidemark_orchestration.launchers.target import Remote, State, Target
from tidemark_orchestration.words import Tell

SOON_S, LATER_S = 1.0, 20.0


@dataclass(frozen=True)
class Watched:
    """A job on its target, and who is told what becomes of it."""

    target: Target
    remote: Remote
    tell: Tell

    def __str__(self) -> str:
        """Name it as an operator finds it."""
        return f"{self.target.label} {self.remote.id} ({self.remote.name})"

    def looks(self) -> Generator[float, None, State]:
        """Look at it until it is over, and give its state; so many seconds are to pass before each next look."""
        told, pause = "", SOON_S
        while True:
            state = self.target.state(self.remote)
            if state.word != told:
                told, pause = state.word, SOON_S
                self.tell(logging.INFO, f"{self} is {state.word}")
            if state.word in self.target.over:
                return state
            yield pause
            pause = min(2 * pause, LATER_S)

    def wait(self) -> State:
        """Wait for its end, here."""
        looks = self.looks()
        while True:
            try:
                time.sleep(next(looks))
            except StopIteration as over:
                return State(*over.value)

    def end(self, grace_s: float) -> None:
        """Ask that it end, and wait a while for it; where it does not, say how to find it."""
        deadline = time.monotonic() + grace_s
        try:
            self.target.end(self.remote)
            for pause in self.looks():
                if time.monotonic() + pause > deadline:
                    self.tell(logging.WARNING, f"{self} was told to end, and has not ended yet")
                    return
                time.sleep(pause)
        except TidemarkError as error:
            self.tell(logging.ERROR, f"{self} could not be ended, end it by hand: {error}")
