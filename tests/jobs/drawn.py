"""Transactions on one table, drawn from a seed: such as PostgreSQL would allow, and what the rows are after each."""

import random
from collections.abc import Mapping
from typing import NamedTuple

from tests.jobs.lake import Event, delete, insert, truncate, update
from tidemark_contract.specs import TableSpec

KEYS = "123"


class Transaction(NamedTuple):
    """What one transaction does, the keys it touches, and the rows that everybody sees after it: key → part."""

    xid: int
    events: list[Event]
    touched: set[str]
    rows: Mapping[str, str]


def drawn(
    chance: random.Random, spec: TableSpec, first_xid: int, rows: Mapping[str, str] | None = None
) -> list[Transaction]:
    """Draw eight transactions on a table `id, part`: keys change, are used again, and values are left out."""
    now, transactions = dict(rows or {}), []
    for xid in range(first_xid, first_xid + 8):
        touched: set[str] = set()
        events = [_one(chance, spec, xid, now, touched, f"{xid}-{n}") for n in range(chance.randint(1, 3))]
        transactions.append(Transaction(xid, events, touched, dict(now)))
    return transactions


def _one(
    chance: random.Random, spec: TableSpec, xid: int, rows: dict[str, str], touched: set[str], value: str
) -> Event:
    key, other = chance.choice(KEYS), chance.choice(KEYS)
    if chance.random() < 0.06:
        touched.update(rows)
        rows.clear()
        return truncate(spec, xid)
    touched.add(key)
    if key not in rows:
        rows[key] = value
        return insert(spec, xid, id=key, part=value)
    if chance.random() < 0.35:
        del rows[key]
        return delete(spec, xid, id=key)
    if other not in rows:
        touched.add(other)
        rows[other] = rows.pop(key)
        return update(spec, xid, was={"id": key}, id=other, unchanged=("part",))
    if chance.random() < 0.5:
        return update(spec, xid, id=key, unchanged=("part",))
    rows[key] = value
    return update(spec, xid, id=key, part=value)
