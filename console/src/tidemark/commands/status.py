"""status: how the mirror is."""

import click

from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark.output import data_console, print_json


@click.command(short_help="Every table: state and why, rows, mark, proof, lag.")
@source_option
@json_option
def status(source: str | None, as_json: bool) -> None:
    """Say how every table is, how far behind, and through which mark the mirror is proven equal."""
    from tidemark.status.look import look
    from tidemark.status.render import show

    mirrors = Mirror.all() if source is None else [Mirror.open(source)]
    reports = [look(mirror) for mirror in mirrors]
    if as_json:
        print_json({"sources": [report.as_dict() for report in reports]})
        return
    for report in reports:
        show(report, data_console())
