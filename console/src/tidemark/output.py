"""What a person or a script sees: data on stdout, everything else on stderr."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

WIDTH_OF_A_PIPE = 160  # rich would fold tables at 80 columns where nobody looks at them


def data_console() -> Console:
    """Make the console for data: stdout, coloured only on a terminal."""
    return Console(highlight=False, soft_wrap=False, **_width(sys.stdout.isatty()))


def message_console() -> Console:
    """Make the console for everything that is not data: stderr."""
    return Console(stderr=True, highlight=False, **_width(sys.stderr.isatty()))


def _width(terminal: bool) -> dict[str, Any]:
    return {} if terminal else {"width": WIDTH_OF_A_PIPE}


def print_json(facts: object) -> None:
    """Print one JSON value on one line of stdout."""
    print(json.dumps(facts, default=str), flush=True)


def say(message: str, style: str = "") -> None:
    """Print a sentence on stderr, as it is: names in brackets are no markup."""
    message_console().print(Text(message, style=style), soft_wrap=True)


@dataclass(frozen=True)
class Failure:
    """Why a command ended: the kind of error, what to tell the person, and the exit code for the script."""

    kind: str
    message: str
    exit_code: int


class CommandFailed(Exception):
    """Ends the command with the failure that it holds."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)


def print_failure(failure: Failure, *, as_json: bool) -> None:
    """Say once why the command failed, on stderr: in red, or as one JSON object for scripts."""
    if as_json:
        # Framed as the last event of a job: who starts both reads both.
        facts = {
            "event": "failed",
            "level": "error",
            "error": failure.kind,
            "message": failure.message,
            "exit_code": failure.exit_code,
        }
        print(json.dumps(facts), file=sys.stderr, flush=True)
        return
    first, _, more = failure.message.partition("\n")
    console = message_console()
    console.print(Text.assemble(("✗ ", "bold red"), (first, "red")), soft_wrap=True)
    if more:
        console.print(Text(more), soft_wrap=True)
    if failure.exit_code == 75:
        console.print(Text("  The same command may succeed later.", style="dim"))
