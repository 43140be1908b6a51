"""Which transactions a snapshot sees, against a model that lists them all."""

from hypothesis import given
from hypothesis import strategies as st

from tidemark_contract.visibility import NOTHING, Snapshot, widen

XIDS = range(40)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    xmin = draw(st.integers(3, 20))
    xmax = draw(st.integers(xmin, 30))
    return Snapshot(xmin, xmax, frozenset(draw(st.sets(st.integers(xmin, xmax - 1)))) if xmax > xmin else frozenset())


def seen(snapshot: Snapshot) -> set[int]:
    return {xid for xid in XIDS if snapshot.sees(xid)}


@given(snapshots(), snapshots())
def test_containment_is_that_of_what_is_seen(one: Snapshot, other: Snapshot) -> None:
    assert one.contains(other) == (seen(one) >= seen(other))


@given(snapshots())
def test_the_text_form_reads_back(snapshot: Snapshot) -> None:
    assert snapshot == Snapshot.parse(str(snapshot))


@given(snapshots())
def test_nothing_sees_nothing_and_is_contained_in_all(snapshot: Snapshot) -> None:
    assert set() == seen(NOTHING)
    assert snapshot.contains(NOTHING)


def test_a_running_transaction_is_not_seen() -> None:
    snapshot = Snapshot.parse("10:20:10,14")

    assert [True, False, True, False, False] == [snapshot.sees(xid) for xid in (9, 10, 13, 14, 20)]


@given(st.integers(1 << 31, 1 << 60), st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_32_bit_id_is_widened_to_the_nearest(near: int, distance: int) -> None:
    assert near + distance == widen((near + distance) % (1 << 32), near)
