"""The health of the source's replication slot: how far behind it is, and whether it still holds what it must."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidemark_contract.marks import parse_lsn
from tidemark_contract.names import slot_name
from tidemark_source.connection import address, connect, speaking_to


@dataclass(frozen=True)
class SlotHealth:
    """What `pg_replication_slots` says of one slot; sizes are in bytes of WAL."""

    active: bool
    active_pid: int | None
    wal_status: str | None  # reserved, extended, unreserved or lost
    invalidation: str | None  # why it cannot be used any more; None while it can
    restart_lsn: int | None
    confirmed_flush_lsn: int | None
    retained_bytes: int | None  # what the slot keeps on the source's disk
    lag_bytes: int | None  # what has been written since the last confirmed change
    safe_wal_size: int | None  # what may be written until the slot is lost; None without max_slot_wal_keep_size
    clock: datetime | None = None  # what the source takes for now
    xmin_age: int | None = None  # transactions since the oldest one whose catalog rows the slot keeps from VACUUM

    @property
    def lost(self) -> bool:
        """Tell whether changes were lost: a new slot and a new copy are the only cure."""
        return self.wal_status == "lost" or self.invalidation is not None


def slot_health(url: str, source: str) -> SlotHealth | None:
    """Give the health of the source's slot; None when there is no such slot. Any role may ask."""
    with connect(url, purpose="slot") as connection, speaking_to(address(url)):
        row = connection.execute(_HEALTH, {"slot": slot_name(source)}).fetchone()
    return _health(*row) if row else None


def _health(
    slot: dict[str, Any], retained: int | None, lag: int | None, clock: datetime, age: int | None
) -> SlotHealth:
    return SlotHealth(
        active=slot["active"],
        active_pid=slot["active_pid"],
        wal_status=slot["wal_status"],
        invalidation=_invalidation(slot),
        restart_lsn=_lsn(slot["restart_lsn"]),
        confirmed_flush_lsn=_lsn(slot["confirmed_flush_lsn"]),
        retained_bytes=retained,
        lag_bytes=lag,
        safe_wal_size=slot["safe_wal_size"],
        clock=clock,
        xmin_age=age,
    )


def _invalidation(slot: dict[str, Any]) -> str | None:
    """Read what each major version knows: the reason since 17, "conflicting" since 16, "lost" always."""
    if reason := slot.get("invalidation_reason"):
        return str(reason)
    if slot.get("conflicting"):
        return "conflicting"
    return "wal_removed" if slot["wal_status"] == "lost" else None


def _lsn(text: str | None) -> int | None:
    return None if text is None else parse_lsn(text)


# As jsonb, because the columns differ from version to version. A standby has no position of its own to write at.
_HEALTH = """
SELECT to_jsonb(slot), greatest(0, pg_wal_lsn_diff(position.lsn, slot.restart_lsn))::bigint,
       greatest(0, pg_wal_lsn_diff(position.lsn, slot.confirmed_flush_lsn))::bigint, clock_timestamp(),
       greatest(age(slot.xmin), age(slot.catalog_xmin))
FROM pg_replication_slots slot,
     (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) position
WHERE slot.slot_name = %(slot)s
"""
