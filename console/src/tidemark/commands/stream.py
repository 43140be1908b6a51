"""start and stop: the Flink pipeline that carries changes into the lake."""

import click

from tidemark import results
from tidemark.jobs import show_job
from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark.progress import Progress
from tidemark.stream import call
from tidemark_contract.argv import Job
from tidemark_contract.errors import LeaseTaken, SourceRefused
from tidemark_contract.names import slot_name


@click.command(short_help="Start the stream from the source into the lake.")
@click.option("--detach", is_flag=True, help="Return once it runs; otherwise stay, and stop it at Ctrl-C.")
@click.option("--checkpoint-interval", default="10s", show_default=True, metavar="TIME",
              help="How often changes land: 500ms, 10s, 1min.")  # fmt: skip
@click.option("--without-state", is_flag=True,
              help="Begin anew where the slot stands: the tables need a copy or a repair after it.")  # fmt: skip
@source_option
@json_option
def start(detach: bool, checkpoint_interval: str, without_state: bool, source: str | None, as_json: bool) -> None:
    """Start the stream where it stood. A second one on the same slot is refused.

    With --without-state the lake follows the source as it is now, whatever it was before: restored, failed over, or
    with another slot. Every table is stale until it is copied or repaired.
    """
    mirror = Mirror.open(source)
    mirror.settings.source_url(mirror.name)
    mirror.check_writable()
    if without_state:
        begin_anew(mirror, as_json=as_json)
    words = ["start", "--checkpoint-interval", checkpoint_interval]
    words += ["--detach"] * detach + ["--without-state"] * without_state
    with Progress(f"start the stream of {mirror.name}", raw=as_json) as progress:
        answer = call(mirror, *words, on_event=progress.show)
    results.show_stream(answer, as_json=as_json)


def begin_anew(mirror: Mirror, *, as_json: bool) -> None:
    """Let the lake forget the history that its stream has had so far; refused while there is a stream, or no slot."""
    from tidemark_source.slots import slot_health

    if (state := call(mirror, "status")["state"]) in ("running", "restarting"):
        raise LeaseTaken(f"the stream of {mirror.name} is {state}: `tidemark stop` first")
    slot = slot_health(mirror.settings.source_url(mirror.name), mirror.name)
    if slot is None or slot.lost:
        raise SourceRefused(f"the slot {slot_name(mirror.name)} is {'lost' if slot else 'missing'}: `tidemark init`")
    show_job(mirror, Job("rebase", mirror.name), as_json=as_json)


@click.command(short_help="Stop the stream; the slot keeps what comes meanwhile.")
@source_option
@json_option
def stop(source: str | None, as_json: bool) -> None:
    """Stop the stream with a savepoint. The slot keeps what is written meanwhile, on the source's disk."""
    mirror = Mirror.open(source)
    with Progress(f"stop the stream of {mirror.name}", raw=as_json) as progress:
        answer = call(mirror, "stop", on_event=progress.show)
    results.show_stream(answer, as_json=as_json)
