"""The command `tidemark` and its help."""

from collections.abc import Mapping, Sequence

import click

from tidemark.commands import doctor, gold, guard, init, jobs, local, status, stream

SECTIONS: Mapping[str, Sequence[click.Command]] = {
    "Set up a mirror": (init.discover, init.init, doctor.doctor),
    "Run it": (stream.start, stream.stop, guard.guard, jobs.copy, jobs.sync, jobs.maintain, jobs.erase),
    "Use and trust it": (status.status, jobs.verify, jobs.repair, jobs.export, gold.gold, gold.backfill),
    "Try it on this machine": (local.demo, local.up, local.down),
    "Take it down": (init.drop,),
}

INTRODUCTION = """Mirror a live PostgreSQL into a Delta lake, and prove the mirror exact.

A mark is a row written into the source, naming the snapshot it was taken in. Every published mark is the whole source
as of one instant; `verify` proves it.

\b
A first mirror of your own database:
  tidemark discover --source-url postgresql://… --name shop --out specs
  tidemark init && tidemark start --detach
  tidemark copy && tidemark sync --continuous
  tidemark verify
"""

EPILOGUE = """\b
Settings (environment):
  TIDEMARK_SPECS                    the folder with <source>/source.yaml
  TIDEMARK_LAKE                     where the lake is: file:///path or s3://bucket/prefix
  TIDEMARK_STATE                    a local folder for checkpoints and logs
  TIDEMARK_SOURCE_<NAME>_URL        the source as the capture role: postgresql://role:password@host:port/database
  TIDEMARK_SOURCE_<NAME>_ADMIN_URL  the source as the tables' owner, for init and drop; else the first

\b
Exit codes: 0 done · 1 failed or different · 2 wrong usage · 75 try again · 78 something to configure first
Data goes to stdout, everything else to stderr. The reference is docs/cli.md.
"""


class Sections(click.Group):
    """A group whose help lists its commands by what a person wants to do."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of the sections."""
        return [command.name or "" for commands in SECTIONS.values() for command in commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one block for each section."""
        width = max(len(name) for name in self.list_commands(ctx))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                rows = [((command.name or "").ljust(width), command.get_short_help_str(200)) for command in commands]
                formatter.write_dl(rows)


@click.group(
    cls=Sections,
    help=INTRODUCTION,
    epilog=EPILOGUE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(package_name="tidemark", message="tidemark %(version)s")
def cli() -> None:
    """Hold the commands."""


for _commands in SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)
