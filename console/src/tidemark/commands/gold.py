"""gold: the marts."""

import click

from tidemark import results
from tidemark.jobs import show_job
from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark_contract.argv import Job


@click.command(short_help="Build the marts from the silver tables of one mark.")
@click.argument("marts", nargs=-1, metavar="[MART]...")
@click.option("--mark", type=click.IntRange(min=1), metavar="N", help="The published mark to read; default the newest.")
@source_option
@json_option
def gold(marts: tuple[str, ...], mark: int | None, source: str | None, as_json: bool) -> None:
    """Build MARTs (default: all): the same SQL run in PostgreSQL inside that mark's snapshot gives the same rows."""
    mirror = Mirror.open(source)
    mirror.check_writable()
    job = Job("gold", mirror.name, marts, mark=mark)
    results.show_facts("gold", show_job(mirror, job, as_json=as_json), as_json=as_json)


@click.command(short_help="Build marts anew from one mark, check them, swap them in.")
@click.argument("marts", nargs=-1, metavar="[MART]...")
@click.option("--mark", type=click.IntRange(min=1), metavar="N", help="The published mark to read; default the newest.")
@source_option
@json_option
def backfill(marts: tuple[str, ...], mark: int | None, source: str | None, as_json: bool) -> None:
    """Build MARTs (default: all that were built) anew, beside those that are there; swap in each that is sound.

    Until the swap, one commit for each mart, readers see the old one, whatever happens.
    """
    mirror = Mirror.open(source)
    mirror.check_writable()
    job = Job("backfill", mirror.name, marts, mark=mark)
    results.show_facts("backfilled", show_job(mirror, job, as_json=as_json), as_json=as_json)
