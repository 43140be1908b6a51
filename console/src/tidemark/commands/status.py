"""status: how the mirror is."""

import os
from collections.abc import Mapping

import click

from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark.output import data_console, print_json, say
from tidemark_contract.errors import ConfigurationError


@click.command(short_help="Every table: state and why, rows, mark, proof, lag.")
@source_option
@json_option
def status(source: str | None, as_json: bool) -> None:
    """Say how every table is, how far behind, and through which mark the mirror is proven equal."""
    from tidemark.status.look import look
    from tidemark.status.render import show

    environment = _environment()
    mirrors = Mirror.all(environment) if source is None else [Mirror.open(source, environment)]
    reports = [look(mirror) for mirror in mirrors]
    if as_json:
        print_json({"sources": [report.as_dict() for report in reports]})
        return
    for report in reports:
        show(report, data_console())


def _environment() -> Mapping[str, str]:
    """Give the settings: ours, or with none at all those of the mirror that `tidemark up` keeps on this machine."""
    from tidemark.local.stack import Stack

    if any(name.startswith("TIDEMARK_") for name in os.environ if name != "TIDEMARK_HOME"):
        return os.environ
    try:
        stack = Stack.of_demo()
        environment = stack.environment()
    except ConfigurationError:
        return os.environ
    say(f"no TIDEMARK_* is set: this is the mirror in {stack.folder}", style="dim")
    return environment
