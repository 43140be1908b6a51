"""Each case ends as it has to: equal, or out of the mark and named."""

import re

import pytest

from tests.exactness.cases import COPIED, EQUAL, STALE, Case, chosen_cases
from tests.exactness.compare import Difference, difference
from tests.exactness.conftest import Played


def cases(state: str) -> pytest.MarkDecorator:
    chosen = [case for case in chosen_cases() if case.state == state]
    return pytest.mark.parametrize("case", chosen, ids=lambda case: case.name)


def differing(played: Played, case: Case, mark: int, truth: int) -> dict[str, Difference]:
    """Give the case's tables that are not, at a published mark, what the source was in the truth's snapshot."""
    published = played.world.control.published(mark)
    assert published is not None
    found = {
        str(spec.table): difference(played.world, played.spark, spec, published, truth)
        for spec in played.world.tables(case)
    }
    return {table: wrong for table, wrong in found.items() if wrong}


@cases(EQUAL)
def test_the_lake_is_the_source(played: Played, case: Case) -> None:
    assert played.world.tables(case), "no table would be compared"
    if case.sections["after a mark"]:
        assert {} == differing(played, case, played.truths[0], played.truths[0])
    assert {} == differing(played, case, played.truths[1], played.truths[1])
    assert {} == differing(played, case, played.synced[1], played.truths[1])


@cases(COPIED)
def test_the_sync_has_copied_the_table(played: Played, case: Case) -> None:
    """Its mark lacks what the stream cannot tell; the sync does not end before it has a mark with it."""
    lacking = played.world.control.published(played.truths[0])
    assert lacking is not None
    out = [spec.table for spec in played.world.tables(case) if lacking.version(spec.table) is None]

    assert out, "it was in the mark"
    assert {} == differing(played, case, played.synced[0], played.truths[0])
    assert {} == differing(played, case, played.truths[1], played.truths[1])
    assert {} == differing(played, case, played.synced[1], played.truths[1])


@cases(STALE)
def test_the_table_is_out_and_says_why(played: Played, case: Case) -> None:
    states = played.world.control.tables()
    published = played.world.control.published()
    assert published is not None
    out = [spec.table for spec in played.world.tables(case) if states[spec.table].state != "live"]

    assert out, {str(spec.table): states[spec.table] for spec in played.world.tables(case)}
    assert {case.state} == {states[table].state for table in out}
    assert [] == [reason for table in out if not re.search(case.reason, reason := states[table].reason)]
    assert [] == [version.table for version in published.tables if version.table in out]
