"""Options and arguments that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tidemark_contract.argv import DEFAULT_LIMIT_S, DEFAULT_PACE

Command = TypeVar("Command", bound=Callable[..., Any])

TABLES = click.argument("tables", nargs=-1, metavar="[TABLE]...")


def source_option(command: Command) -> Command:
    """Add --source."""
    return click.option("--source", metavar="NAME", help="Which source; not needed when there is only one.")(command)


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="JSON for scripts: one object on stdout, JSON log lines on stderr."
    )(command)


def proof_options(command: Command) -> Command:
    """Add --pace and --limit."""
    pace = click.option(
        "--pace",
        type=click.FloatRange(min=0, min_open=True, max=1),
        default=DEFAULT_PACE,
        show_default=True,
        metavar="SHARE",
        help="How much of one core of the source to take for long; 1 is all of it.",
    )
    limit = click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=DEFAULT_LIMIT_S,
        show_default=True,
        metavar="SECONDS",
        help="How long to hold a snapshot at most.",
    )
    return pace(limit(command))


def timeout_option(command: Command) -> Command:
    """Add --timeout."""
    return click.option(
        "--timeout",
        type=click.IntRange(min=1),
        default=600,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a mark to arrive in the lake.",
    )(command)
