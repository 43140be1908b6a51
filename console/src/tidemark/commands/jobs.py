"""copy, sync, verify, repair, export, maintain and erase: the Spark jobs, from a terminal."""

from pathlib import Path

import click

from tidemark import results
from tidemark.jobs import JobFailed, pass_through, show_job
from tidemark.mirror import Mirror
from tidemark.options import TABLES, json_option, proof_options, source_option, timeout_option
from tidemark_contract.argv import Job
from tidemark_contract.specs import TableSpec


@click.command(short_help="Load tables, first or again, all under one snapshot.")
@TABLES
@source_option
@timeout_option
@json_option
def copy(tables: tuple[str, ...], source: str | None, timeout: int, as_json: bool) -> None:
    """Read TABLEs (default: all) from the source under one exported snapshot.

    The mirror may be running: changes that the copy has seen already are dropped, those that it has not are applied.
    Also the way back for a table that `status` calls stale.
    """
    mirror = _open(source)
    job = Job("copy", mirror.name, _names(mirror, tables), timeout=timeout)
    results.show_copy(show_job(mirror, job, as_json=as_json), as_json=as_json)


@click.command(short_help="Bring the lake to a new mark of the source; publish it.")
@click.option("--continuous", is_flag=True, help="Go on with mark after mark, until Ctrl-C.")
@click.option("--pause", type=click.FloatRange(min=0), default=1.0, show_default=True, metavar="SECONDS",
              help="From the end of a sync to the next one when continuous.")  # fmt: skip
@source_option
@timeout_option
@json_option
def sync(continuous: bool, pause: float, source: str | None, timeout: int, as_json: bool) -> None:
    """Write a mark, wait until everything before it has landed, fold it into the tables, publish; print the mark."""
    mirror = _open(source)
    job = Job("sync", mirror.name, continuous=continuous, timeout=timeout, pause_s=pause)
    show_job(mirror, job, as_json=as_json, on_result=lambda result: results.show_sync(result, as_json=as_json))


@click.command(short_help="Prove tables equal to the source; exit 1 if not.")
@TABLES
@proof_options
@source_option
@timeout_option
@json_option
def verify(tables: tuple[str, ...], pace: float, limit: int, source: str | None, timeout: int, as_json: bool) -> None:
    """Compare TABLEs (default: all) with the source, inside the snapshot of one mark, while both go on.

    Exit code 0 means equal. 1 means different: the tables, key ranges, keys and columns are listed, never the values.
    """
    mirror = _open(source)
    job = Job("verify", mirror.name, _names(mirror, tables), timeout=timeout, pace=pace, limit=limit)
    try:
        results.show_proof(show_job(mirror, job, as_json=as_json), as_json=as_json)
    except JobFailed as failed:
        if failed.result:
            results.show_proof(failed.result, as_json=as_json)
        raise


@click.command(short_help="Read again just what differs from the source.")
@click.argument("tables", nargs=-1, required=True, metavar="TABLE...")
@proof_options
@source_option
@timeout_option
@json_option
def repair(tables: tuple[str, ...], pace: float, limit: int, source: str | None, timeout: int, as_json: bool) -> None:
    """Compare TABLEs with the source, as verify does, and read the rows of every key that differs again.

    The next sync takes them in. A table that is live is verified first, and left alone when it is equal. `copy` is the
    same for whole tables.
    """
    mirror = _open(source)
    job = Job("repair", mirror.name, _names(mirror, tables), timeout=timeout, pace=pace, limit=limit)
    results.show_repair(show_job(mirror, job, as_json=as_json), as_json=as_json)


@click.command(short_help="Write a table as PostgreSQL COPY text on stdout.")
@click.argument("table")
@click.option("--mark", type=click.IntRange(min=1), metavar="N", help="The published mark to read; default the newest.")
@source_option
def export(table: str, mark: int | None, source: str | None) -> None:
    """Write TABLE as it was at a mark, in the format of COPY … TO STDOUT, columns in the source's order."""
    mirror = _open(source)
    pass_through(mirror, Job("export", mirror.name, _names(mirror, (table,)), mark=mark))


@click.command(short_help="Compact, vacuum and expire what no mark needs.")
@TABLES
@source_option
@json_option
def maintain(tables: tuple[str, ...], source: str | None, as_json: bool) -> None:
    """Compact the small files of TABLEs (default: all) and of bronze, and remove what no kept mark needs."""
    mirror = _open(source)
    job = Job("maintain", mirror.name, _names(mirror, tables))
    results.show_facts("maintained", show_job(mirror, job, as_json=as_json), as_json=as_json)


@click.command(short_help="Remove keys for good from all the lake has, and prove it.")
@click.option("--subject", required=True, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="YAML or JSON: a list of {table, keys}.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Count what would be removed, and change nothing.")
@source_option
@timeout_option
@json_option
def erase(subject: Path, dry_run: bool, source: str | None, timeout: int, as_json: bool) -> None:
    """Remove the rows with the keys in FILE from silver, bronze, landing files, quarantine, proofs and logs.

    They have to be deleted in the source first. Marks before the erasure cannot be opened any more. At the end every
    object that is left of the source in the lake is read; exit code 1 if anything of them is in it.
    """
    mirror = _open(source)
    job = Job("erase", mirror.name, timeout=timeout, subject=str(subject.absolute()), dry_run=dry_run)
    try:
        results.show_erasure(show_job(mirror, job, as_json=as_json), as_json=as_json)
    except JobFailed as failed:
        if failed.result:
            results.show_erasure(failed.result, as_json=as_json)
        raise


def _open(source: str | None) -> Mirror:
    mirror = Mirror.open(source)
    mirror.settings.source_url(mirror.name)
    mirror.check_writable()
    return mirror


def _names(mirror: Mirror, tables: tuple[str, ...]) -> tuple[str, ...]:
    """Check the names here, before Spark has started for nothing, and write them as PostgreSQL does."""
    chosen: tuple[TableSpec, ...] = mirror.source.choose(tables) if tables else ()
    return tuple(str(spec.table) for spec in chosen)
