"""discover, init and drop: what a mirror needs in the source."""

from collections.abc import Sequence
from pathlib import Path

import click

from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark.output import print_json, say
from tidemark_contract.errors import ConfigurationError, SettingsError
from tidemark_contract.names import TableName, slot_name


@click.command(short_help="Write specs from a live database, one file per table.")
@click.option("--source-url", metavar="URL", help="postgresql://…; default TIDEMARK_SOURCE_<NAME>_ADMIN_URL or _URL, "
              "where a password is not for all to read.")  # fmt: skip
@click.option("--name", required=True, metavar="NAME", help="How the source shall be called: a-z, 0-9, _.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), envvar="TIDEMARK_SPECS", show_envvar=True,
              required=True, metavar="DIR", help="The folder for <NAME>/source.yaml.")  # fmt: skip
@click.option(
    "--schema", "schemas", multiple=True, metavar="SCHEMA", help="Only this schema's tables; may be repeated."
)
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Only this table; may be repeated.")
@click.option("--force", is_flag=True, help="Write over specs that have other contents.")
@json_option
def discover(
    source_url: str | None,
    name: str,
    out: Path,
    schemas: tuple[str, ...],
    tables: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Read the catalog and write the specs. What cannot be mirrored is left out, and said."""
    from tidemark_source.discover import discover as discover_source
    from tidemark_source.discover import write_specs

    slot_name(name)
    wanted = [TableName.parse(table) for table in tables]
    found = discover_source(source_url or _url(name), name, schemas=schemas, tables=wanted)
    files = write_specs(found.spec, out, force=force)
    if as_json:
        facts = {"source": name, "folder": str(out / name), "tables": [str(t.table) for t in found.spec.tables]}
        print_json({**facts, "written": [str(file) for file in files], "left_out": list(found.left_out)})
        return
    _show_found(found.spec.name, out / name, [str(table.table) for table in found.spec.tables], len(files))
    for line in found.left_out:
        say(f"  left out: {line}", style="yellow")


def _url(name: str) -> str:
    from os import environ

    for setting in (f"TIDEMARK_SOURCE_{name.upper()}_ADMIN_URL", f"TIDEMARK_SOURCE_{name.upper()}_URL"):
        if environ.get(setting):
            return environ[setting]
    raise SettingsError(f"no source URL: give --source-url, or set TIDEMARK_SOURCE_{name.upper()}_URL")


def _show_found(name: str, folder: Path, tables: Sequence[str], written: int) -> None:
    for table in tables:
        click.echo(table)
    say(f"{len(tables)} tables of {name} in {folder}, {written} files written")


@click.command(short_help="Make publication, slot, mark table and grants; repeatable.")
@click.option("--dry-run", is_flag=True, help="Print the SQL and change nothing.")
@source_option
@json_option
def init(dry_run: bool, source: str | None, as_json: bool) -> None:
    """Bring the source to what the specs say: tables are added and taken out, what is right is left alone.

    It uses TIDEMARK_SOURCE_<NAME>_ADMIN_URL, whose role has to own the tables. The capture role, which gets SELECT on
    the tables and may write marks, is the role in TIDEMARK_SOURCE_<NAME>_URL. All problems are told at once, and
    nothing is changed while there is one.
    """
    from tidemark.setup import make_plan, prepare

    mirror = Mirror.open(source)
    planned = make_plan(mirror) if dry_run else prepare(mirror)
    if as_json:
        steps = [{"what": step.what, "sql": step.sql} for step in planned.steps]
        print_json({"source": mirror.name, "dry_run": dry_run, "steps": steps})
        return
    if dry_run:
        click.echo(planned.sql)
    for step in planned.steps:
        say(f"{'would ' if dry_run else '✓ '}{step.what}")
    if not planned.steps:
        say(f"{mirror.name} is as the specs want it: nothing to do", style="green")


@click.command(short_help="Remove slot, publication and marks from the source.")
@click.option("--yes", is_flag=True, help="Do it; without, only say what would go.")
@source_option
@json_option
def drop(yes: bool, source: str | None, as_json: bool) -> None:
    """End a mirror for good: its changes are not kept any more, and another one begins with init and copy."""
    from tidemark_source.init import drop as drop_source

    mirror = Mirror.open(source)
    if not yes:
        raise ConfigurationError(
            f"this would remove the slot and the publication {slot_name(mirror.name)} and the schema tidemark from the "
            f"source, and the mirror of {mirror.name} would have to be copied anew: say --yes"
        )
    settings = mirror.settings
    drop_source(settings.admin_url(mirror.name), mirror.name, capture_url=settings.source_url(mirror.name))
    if as_json:
        print_json({"source": mirror.name, "dropped": True})
        return
    say(f"✓ {mirror.name} holds nothing of tidemark's any more; the lake in {mirror.settings.lake} is as it was")
