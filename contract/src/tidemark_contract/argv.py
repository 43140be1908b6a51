"""The command line of every job: the one form in which a console, a DAG or a person starts it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_TIMEOUT_S = 600
DEFAULT_PACE = 0.03
"""Of one core of the source, for a proof: 1.5 % of a server that has two."""
DEFAULT_LIMIT_S = 3600


GUARD = "guard"
"""The one job that is the console's: it needs no engine, and starts Flink's environment where it has to."""


@dataclass(frozen=True)
class Job:
    """One run of one job: what to do, to which source, and how."""

    name: str
    source: str
    tables: tuple[str, ...] = ()
    mark: int | None = None
    continuous: bool = False
    timeout: int = DEFAULT_TIMEOUT_S
    pause_s: float = 1.0
    subject: str | None = None
    dry_run: bool = False
    pace: float = DEFAULT_PACE
    limit: int = DEFAULT_LIMIT_S

    @property
    def workload(self) -> str:
        """Say as whose role it runs where roles are parted: what these do to a lake is alike."""
        return {"gold": "gold", "backfill": "gold", "maintain": "maintain", "erase": "erase"}.get(self.name, "mirror")

    def at(self, place: str) -> str:
        """Give one of many places that a setting stands for: {source} and {workload} in it are this job's."""
        return place.replace("{source}", self.source).replace("{workload}", self.workload)

    def command(self) -> list[str]:
        """Give the arguments with which a Python of the jobs' environment runs it."""
        if self.name == GUARD:
            return ["-m", "tidemark", GUARD, "--source", self.source, "--json"]
        return ["-m", "tidemark_jobs", *self.argv()]

    def argv(self) -> list[str]:
        """Give the arguments that `parse` turns back into this job."""
        words = [self.name, "--source", self.source, "--timeout", str(self.timeout)]
        if self.mark is not None:
            words += ["--mark", str(self.mark)]
        if self.continuous:
            words += ["--continuous", "--pause", str(self.pause_s)]
        if self.subject is not None:
            words.append(f"--subject={self.subject}")
        if self.dry_run:
            words.append("--dry-run")
        if (self.pace, self.limit) != (DEFAULT_PACE, DEFAULT_LIMIT_S):
            words += ["--pace", str(self.pace), "--limit", str(self.limit)]
        return [*words, "--", *self.tables] if self.tables else words


JOBS = {
    "copy": "read tables under one exported snapshot",
    "sync": "bring silver to the newest mark and publish it",
    "verify": "prove tables equal to the source at a mark",
    "repair": "read again what a proof finds different",
    "export": "write a silver table as COPY text",
    "gold": "build the marts from one mark",
    "backfill": "build marts anew from one mark, beside those that are there, and swap them in",
    "maintain": "compact, vacuum and expire",
    "erase": "remove keys for good, and prove it",
    "rebase": "begin anew with the source as it is now; the stream is stopped",
}


def parse(words: Sequence[str]) -> Job:
    """Read a job's command line; a wrong one ends with argparse's usage message and exit code 2."""
    parsed = _parser().parse_args(words)
    return Job(
        name=parsed.job,
        source=parsed.source,
        tables=tuple(parsed.tables),
        mark=parsed.mark,
        continuous=parsed.continuous,
        timeout=parsed.timeout,
        pause_s=parsed.pause,
        subject=parsed.subject,
        dry_run=parsed.dry_run,
        pace=parsed.pace,
        limit=parsed.limit,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidemark-job", allow_abbrev=False)
    jobs = parser.add_subparsers(dest="job", required=True)
    for name, help_text in JOBS.items():
        job = jobs.add_parser(name, help=help_text, allow_abbrev=False)
        job.add_argument("--source", required=True)
        job.add_argument("--timeout", type=int, default=DEFAULT_TIMEOUT_S, help="seconds to wait for a mark to arrive")
        job.add_argument("--mark", type=int, help="the published mark to read; default the newest")
        job.add_argument("--continuous", action="store_true", help="go on with mark after mark in a warm session")
        job.add_argument("--pause", type=float, default=1.0, help="seconds between two syncs when continuous")
        job.add_argument("--subject", help="the file that names what erase shall remove")
        job.add_argument("--dry-run", action="store_true", help="of erase: count, and change nothing")
        job.add_argument("--pace", type=float, default=DEFAULT_PACE, help="share of a core of the source for a proof")
        job.add_argument("--limit", type=int, default=DEFAULT_LIMIT_S, help="seconds a proof may hold a snapshot")
        job.add_argument("tables", nargs="*", help="tables or marts; default all")
    return parser
