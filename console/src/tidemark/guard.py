"""Look after a stream: how it and its slot are, whether it may be started again, and what is beyond a limit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tidemark.children import Event
from tidemark.mirror import Mirror
from tidemark.published import Control, PublishedMark
from tidemark.status.format import seconds, size
from tidemark.status.look import ask_source
from tidemark.stream import call, interpreter
from tidemark_contract import limits as names
from tidemark_contract.errors import (
    ConfigurationError,
    LeaseTaken,
    SourceChanged,
    SourceRefused,
    StreamDown,
    TidemarkError,
)
from tidemark_contract.limits import Limits
from tidemark_contract.marks import format_lsn
from tidemark_contract.names import slot_name
from tidemark_source.slots import SlotHealth

NOTHING, RESTARTED = "nothing", "restarted"
# Of what that setting of PostgreSQL's allows, the slot may hold so much before somebody is told.
_KEPT, _SHARE_OF_KEPT = "max_slot_wal_keep_size", 0.8


@dataclass(frozen=True)
class Seen:
    """One look. `problem` says why no stream can go on from this slot; empty when one can."""

    source: str
    stream: Mapping[str, Any]
    slot: SlotHealth | None
    problem: str
    mark: int | None
    mark_age_s: float | None

    @property
    def state(self) -> str:
        """The stream's state, as `tidemark_streaming.status` has it, or `elsewhere`."""
        return str(self.stream["state"])

    def summary(self, did: str) -> dict[str, object]:
        """Give it as JSON takes it."""
        slot, stream = self.slot, self.stream
        confirmed = slot.confirmed_flush_lsn if slot else None
        return {
            "job": "guard",
            "source": self.source,
            "did": did,
            "stream": self.state,
            "incarnation": stream.get("incarnation"),
            "restarts": stream.get("restarts"),
            "checkpoint_age_s": stream.get("checkpoint_age_s"),
            "lag_bytes": stream.get("lag_bytes"),
            "slot_active": slot.active if slot else None,
            "retained_bytes": slot.retained_bytes if slot else None,
            "xmin_age": slot.xmin_age if slot else None,
            "confirmed_lsn": None if confirmed is None else format_lsn(confirmed),
            "mark": self.mark,
            "mark_age_s": self.mark_age_s,
        }


def see(mirror: Mirror) -> Seen:
    """Look at stream, slot and newest mark; what does not answer is an error."""
    published = Control(mirror.layout).published()
    slot, health = ask_source(mirror, published)
    return Seen(
        source=mirror.name,
        stream=_stream(mirror),
        slot=slot,
        problem=health.problem,
        mark=published.mark.id if published else None,
        mark_age_s=_age_s(published, slot),
    )


def tend(mirror: Mirror, seen: Seen, show: Callable[[Event], None]) -> str:
    """Start a stream again that is down, if it may be; say what was done. Raises what stands against it."""
    if why := hindrance(seen):
        raise why
    if seen.state != "down":
        return NOTHING
    call(mirror, "resume", on_event=show)
    return RESTARTED


def _stream(mirror: Mirror) -> Mapping[str, Any]:
    """Ask the stream; where there is no Flink, or it was never started, something else runs it."""
    try:
        interpreter()
    except ConfigurationError as error:
        return {"state": "elsewhere", "reason": str(error)}
    stream = call(mirror, "status")
    if cluster := mirror.settings.stream_url(mirror.name):
        return {**stream, "run_by": cluster}
    if stream["incarnation"] is None:
        return {"state": "elsewhere", "reason": f"{mirror.settings.state} knows of no start"}
    return stream


def _age_s(published: PublishedMark | None, slot: SlotHealth | None) -> float | None:
    """By the clock that marks have their times from."""
    if published is None or slot is None or slot.clock is None:
        return None
    return round((slot.clock - published.mark.taken_at).total_seconds(), 1)


def hindrance(seen: Seen) -> TidemarkError | None:
    """Say why the stream must be left as it is; None when it may run, or be started again if it is down."""
    if seen.problem or seen.slot is None:
        return SourceChanged(seen.problem)
    if seen.state == "failed":
        return SourceRefused(
            f"the stream of {seen.source} has failed: {seen.stream.get('reason') or 'no reason given'}"
        )
    if seen.state == "down" and (cluster := seen.stream.get("run_by")):
        return StreamDown(
            f"the stream of {seen.source} is run by the cluster behind {cluster}, which does not answer "
            f"({seen.stream.get('reason')}): look at its pods, which Kubernetes starts again by itself"
        )
    if seen.state == "down" and seen.slot.active:
        return LeaseTaken(
            f"the stream of {seen.source} is down here, but its slot is read by process {seen.slot.active_pid} of the "
            "source: what was killed is about to be noticed, or another machine runs the stream"
        )
    if seen.state == "elsewhere" and not seen.slot.active:
        return StreamDown(
            f"nobody reads the slot {slot_name(seen.source)}, and the stream is not run from here "
            f"({seen.stream['reason']}): look at what runs it; is it to run here, `tidemark start`"
        )
    return None


def beyond(seen: Seen, limits: Limits) -> dict[str, str]:
    """Say by the name of each limit that is exceeded what is, and the cure.

    A stream that is stopped on purpose still costs the source.
    """
    if seen.slot is None:
        return {}
    wrong = _of_slot(seen.slot, seen, limits)
    if seen.state == "stopped":
        return wrong
    age, mark_age = seen.stream.get("checkpoint_age_s"), seen.mark_age_s
    if age is not None and age > limits.checkpoint_s:
        why = seen.stream.get("reason") or f"see {seen.stream.get('web_ui')}"
        wrong[names.CHECKPOINT_S] = (
            f"the stream is {seen.state}, but landed nothing for {seconds(age)}, more than {limits.checkpoint_s} s "
            f"({names.CHECKPOINT_S}): {why}"
        )
    if mark_age is not None and mark_age > limits.mark_s:
        wrong[names.MARK_S] = (
            f"the newest published mark is {seconds(mark_age)} old, more than {limits.mark_s} s ({names.MARK_S}): "
            "see why sync does not run or does not end"
        )
    return wrong


def _of_slot(slot: SlotHealth, seen: Seen, limits: Limits) -> dict[str, str]:
    held, name, wrong = slot.retained_bytes or 0, slot_name(seen.source), dict[str, str]()
    cure = (
        "`tidemark start`, or give the slot up by `tidemark drop`"
        if seen.state == "stopped"
        else "find out why the stream is behind (`tidemark status`), and give the source's disk room"
    )
    if held > limits.wal_bytes:
        allowed = f"more than {size(limits.wal_bytes)} ({names.WAL_MB})"
        wrong[names.WAL_MB] = f"{name} holds {size(held)} of the source's log, {allowed}: {cure}"
    if slot.safe_wal_size is not None and held > _SHARE_OF_KEPT * (held + slot.safe_wal_size):
        wrong[_KEPT] = (
            f"{name} is lost after another {size(max(0, slot.safe_wal_size))} of the source's log "
            f"({_KEPT}): {cure}, or raise it"
        )
    if slot.xmin_age is not None and slot.xmin_age > limits.xmin_age:
        wrong[names.XMIN_AGE] = (
            f"{name} keeps catalog rows of {slot.xmin_age:,} transactions ago from VACUUM, more than "
            f"{limits.xmin_age:,} ({names.XMIN_AGE}): {cure}"
        )
    return wrong
