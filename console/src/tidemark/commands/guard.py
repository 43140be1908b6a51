"""guard: look after the stream, now and then."""

import click

from tidemark import results
from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark.progress import Progress
from tidemark_contract.errors import EXIT_OK, LimitExceeded, TidemarkError
from tidemark_contract.limits import Limits
from tidemark_contract.outcome import Outcome


@click.command(short_help="Bring back a stream that was killed; tell what is beyond a limit.")
@source_option
@json_option
def guard(source: str | None, as_json: bool) -> None:
    """Look at stream, slot and newest mark once; for a scheduler, every few minutes.

    A stream that was killed is started again as it was, from its last checkpoint. One that a person has stopped is not,
    nor one that has failed, or whose slot or source is not what it was: that is told, with the cure.
    """
    from tidemark.lake import deliver

    mirror = Mirror.open(source)
    facts: dict[str, object] = {}
    failed: TidemarkError | None = None
    try:
        _look(mirror, facts, as_json=as_json)
    except TidemarkError as error:
        failed = error
    # To whoever has started it from afar, as every job does.
    deliver(Outcome(failed.exit_code if failed else EXIT_OK, facts, str(failed or "")), mirror.environment)
    if failed:
        raise failed


def _look(mirror: Mirror, facts: dict[str, object], *, as_json: bool) -> None:
    from tidemark.guard import NOTHING, RESTARTED, beyond, see, tend

    limits = Limits.read(mirror.environment)
    seen, did, wrong = see(mirror), NOTHING, dict[str, str]()
    try:
        with Progress(f"look after the stream of {mirror.name}", raw=as_json) as progress:
            did = tend(mirror, seen, progress.show)
        if did == RESTARTED:
            seen = see(mirror)  # what was down is behind: the next look judges it
        else:
            wrong = beyond(seen, limits)
    finally:
        facts |= {**seen.summary(did), "beyond": sorted(wrong)}
        results.show_facts("guard", facts, as_json=as_json)
    if wrong:
        raise LimitExceeded("\n".join(wrong.values()))
