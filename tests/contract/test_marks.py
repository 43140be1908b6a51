"""The choice of the next mark, and the chain."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark_contract.errors import SourceChanged
from tidemark_contract.marks import Mark, MarkKind, check_same_source, format_lsn, linked, next_to_publish, parse_lsn
from tidemark_contract.visibility import Snapshot


def mark(number: int, xmin: int, kind: MarkKind = MarkKind.SYNC, **facts: object) -> Mark:
    values = {
        "id": number,
        "nonce": f"n{number}",
        "previous": f"n{number - 1}",
        "kind": kind,
        "snapshot": Snapshot(xmin, xmin, frozenset()),
        "lsn": xmin,
        "taken_at": datetime(2026, 1, 1, tzinfo=UTC),
        "system_id": "7",
        "timeline": 1,
        "catalog_json": "[]",
    }
    return Mark(**{**values, **facts})  # type: ignore[arg-type]


def test_the_newest_mark_is_next() -> None:
    assert mark(3, 30) == next_to_publish(mark(1, 10), [mark(2, 20), mark(3, 30), mark(1, 10)])


def test_nothing_newer_is_nothing() -> None:
    assert None is next_to_publish(mark(2, 20), [mark(1, 10), mark(2, 20)])


def test_the_earliest_stop_comes_before_newer_marks() -> None:
    stops = [mark(4, 40, MarkKind.COPY), mark(3, 30, MarkKind.VERIFY)]
    assert stops[1] == next_to_publish(mark(1, 10), [mark(5, 50), *stops, mark(2, 20)])


def test_a_stop_behind_the_published_mark_is_ignored() -> None:
    assert mark(5, 50) == next_to_publish(mark(4, 40), [mark(3, 30, MarkKind.COPY), mark(5, 50)])


def test_marks_are_ordered_by_what_they_see_not_by_number() -> None:
    assert mark(2, 30) == next_to_publish(None, [mark(3, 20), mark(2, 30)])


@given(st.permutations(range(1, 9)), st.sets(st.integers(1, 8)))
def test_every_stop_is_published_once_and_in_order_however_marks_arrive(order: list[int], stops: set[int]) -> None:
    marks = [mark(n, 10 * n, MarkKind.VERIFY if n in stops else MarkKind.SYNC) for n in order]
    published: list[Mark] = []
    while target := next_to_publish(published[-1] if published else None, marks):
        published.append(target)
    assert sorted(stops | {8}) == [m.id for m in published]


def test_the_chain_leads_back_through_the_marks_that_arrived() -> None:
    arrived = [mark(2, 20), mark(3, 30), mark(4, 40)]

    assert linked(mark(1, 10), mark(4, 40), arrived)
    assert not linked(mark(1, 10), mark(4, 40), [mark(2, 20), mark(4, 40)])
    assert linked(mark(4, 40), mark(4, 40), [])


@pytest.mark.parametrize(
    "foreign", [mark(2, 20, system_id="8"), mark(2, 20, timeline=2)], ids=["system_id", "timeline"]
)
def test_a_mark_of_another_history_is_refused(foreign: Mark) -> None:
    with pytest.raises(SourceChanged, match="mark 2 "):
        check_same_source(mark(1, 10), foreign)


@given(st.integers(0, (1 << 64) - 1))
def test_lsns_read_back(lsn: int) -> None:
    assert lsn == parse_lsn(format_lsn(lsn))


def test_a_mark_is_read_from_postgresql_text() -> None:
    row = {
        "id": "7",
        "nonce": "a",
        "previous": None,
        "kind": "copy",
        "snapshot": "10:12:11",
        "lsn": "16/B374D848",
        "taken_at": "2026-11-21 10:00:00.123456+00",
        "system_id": "75",
        "timeline": "1",
        "catalog": "[]",
    }
    read = Mark.from_text(row)

    assert (7, None, MarkKind.COPY, Snapshot(10, 12, frozenset({11}))) == (
        read.id,
        read.previous,
        read.kind,
        read.snapshot,
    )
    assert datetime(2026, 11, 21, 10, 0, 0, 123456, UTC) == read.taken_at
    assert () == read.catalog.relations
