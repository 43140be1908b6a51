"""Steps of something that takes minutes: each is shown while it runs, and with its seconds when it is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.status import Status
from rich.text import Text

from tidemark.children import Event
from tidemark.output import message_console
from tidemark.progress import sentence


class Steps:
    """Prints one line a step on stderr, with a spinner while it runs on a terminal."""

    def __init__(self) -> None:
        self._console = message_console()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, title: str) -> Iterator["Step"]:
        """Run a block as one step."""
        step = Step(title)
        began = time.monotonic()
        try:
            with Status(Text(title), console=self._console) as status:
                step.status = status
                yield step
        except BaseException:
            self._print("✗", "red", step, began)
            raise
        self._print("✓", "green", step, began)

    def _print(self, sign: str, style: str, step: "Step", began: float) -> None:
        took = f"{time.monotonic() - began:6.1f} s"
        outcome = f": {step.outcome}" if step.outcome else ""
        line = Text.assemble((f"{sign} ", style), (took, "dim"), f"  {step.title}", (outcome, "dim"))
        self._console.print(line, soft_wrap=True)


class Step:
    """A step under way."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcome = ""
        self.status: Status | None = None

    def show(self, event: Event) -> None:
        """Show what a job says meanwhile."""
        self.say(sentence(event))

    def say(self, text: str) -> None:
        """Show how far it is."""
        if self.status:
            self.status.update(Text.assemble(self.title, (f"  {text}", "dim")))
