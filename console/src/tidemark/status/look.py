"""Look at a mirror: its lake, its source, its stream. Where one does not answer, the others are told all the same."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tidemark.mirror import Mirror
from tidemark.output import CommandFailed
from tidemark.published import Control, PublishedMark
from tidemark.status.report import Report, SourceHealth, point, table_report, verified_through
from tidemark.stream import call
from tidemark_contract.errors import TidemarkError
from tidemark_contract.marks import BEGIN_ANEW
from tidemark_contract.names import slot_name
from tidemark_source.marks import changed_since
from tidemark_source.slots import SlotHealth, slot_health


def look(mirror: Mirror) -> Report:
    """Put the report of one source together."""
    control = Control(mirror.layout)
    published, states, proofs = control.published(), control.tables(), control.proofs()
    health = source_health(mirror, published)
    now = health.clock or datetime.now(UTC)  # marks have their times from there
    specs = mirror.source.tables
    return Report(
        source=mirror.name,
        tables=tuple(
            replace(
                table_report(spec, states.get(spec.table), published, proofs, now, health.wal_lsn),
                history=mirror.layout.history(spec.table) if spec.historic else None,
            )
            for spec in specs
        ),
        published=point(published) if published else None,
        verified=verified_through([spec.table for spec in specs], proofs),
        quarantined=len(control.quarantine()),
        health=health,
        stream=stream_state(mirror),
    )


def stream_state(mirror: Mirror) -> dict[str, Any]:
    """Ask the stream how it is; a problem is told in place of an answer."""
    try:
        return call(mirror, "status")
    except CommandFailed as failed:
        return {"state": "unknown", "reason": failed.failure.message}
    except TidemarkError as error:
        return {"state": "unknown", "reason": str(error)}


def source_health(mirror: Mirror, published: PublishedMark | None) -> SourceHealth:
    """Ask the source about its history and its slot; a problem is told in place of an answer."""
    try:
        return ask_source(mirror, published)[1]
    except TidemarkError as error:
        return SourceHealth(problem=str(error))


def ask_source(mirror: Mirror, published: PublishedMark | None) -> tuple[SlotHealth | None, SourceHealth]:
    """Ask the source about its slot and its history: the facts, and the words for them."""
    url = mirror.settings.source_url(mirror.name)
    slot = slot_health(url, mirror.name)
    changed = changed_since(url, [published.mark]) if published else None
    health = describe_slot(slot, mirror.name)
    return slot, replace(health, problem=f"{changed}; {BEGIN_ANEW}") if changed else health


def describe_slot(slot: SlotHealth | None, source: str) -> SourceHealth:
    """Put what the source says of its slot into words."""
    if slot is None:
        why = f"there is no slot {slot_name(source)}: `tidemark init`; had it one, `start --without-state`, then `copy`"
        return SourceHealth(slot_state="missing", problem=why)
    end = (
        None
        if slot.confirmed_flush_lsn is None or slot.lag_bytes is None
        else slot.confirmed_flush_lsn + slot.lag_bytes
    )
    if slot.lost:
        why = f"the slot was lost ({slot.invalidation}): `tidemark init`, `start --without-state`, then `copy`"
        return SourceHealth(end, "lost", slot.retained_bytes, why, slot.clock)
    return SourceHealth(end, "active" if slot.active else "idle", slot.retained_bytes, clock=slot.clock)
