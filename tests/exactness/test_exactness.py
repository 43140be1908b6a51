"""Each case ends as it has to: equal, or out of the mark and named."""

import re
from pathlib import Path

import pytest

from tests.exactness.cases import Case, load_cases
from tests.exactness.conftest import Played
from tests.exactness.page import render
from tidemark_jobs.export import copy_lines
from tidemark_jobs.reader import read_version

CASES = load_cases()
EQUAL = [case for case in CASES if case.is_equal]
LOUD = [case for case in CASES if not case.is_equal]


def test_the_page_tells_every_case() -> None:
    """`make docs` renders it."""
    assert render() == (Path(__file__).parents[2] / "docs" / "exactness.md").read_text(encoding="utf-8")


def differing(played: Played, case: Case, mark: int) -> dict[str, tuple[list[str], list[str]]]:
    """Give the tables that are not, line for line, what the source was in the mark's snapshot: lacks, and surplus."""
    published = played.world.control.published(mark)
    assert published is not None
    wrong = {}
    for spec in played.world.tables(case):
        version = published.version(spec.table)
        assert version is not None, (spec.table, played.world.control.tables()[spec.table])
        assert version.exact, (spec.table, played.world.control.tables()[spec.table])
        expected = played.world.truth[mark][str(spec.table)]
        rows = read_version(played.spark, played.world.control.layout, version)
        found = sorted(row[0] + "\n" for row in copy_lines(rows, spec).collect())
        if found != expected or version.rows != len(expected):
            wrong[str(spec.table)] = (sorted(set(expected) - set(found)), sorted(set(found) - set(expected)))
    return wrong


@pytest.mark.parametrize("case", EQUAL, ids=lambda case: case.name)
def test_the_lake_is_the_source(played: Played, case: Case) -> None:
    assert played.world.tables(case), "no table would be compared"
    if case.sections["after a mark"]:
        assert {} == differing(played, case, played.first)
    assert {} == differing(played, case, played.second)


@pytest.mark.parametrize("case", LOUD, ids=lambda case: case.name)
def test_the_table_is_out_and_says_why(played: Played, case: Case) -> None:
    states = played.world.control.tables()
    published = played.world.control.published()
    assert published is not None
    out = [spec.table for spec in played.world.tables(case) if states[spec.table].state != "live"]

    assert out, {str(spec.table): states[spec.table] for spec in played.world.tables(case)}
    assert {case.state} == {states[table].state for table in out}
    assert [] == [reason for table in out if not re.search(case.reason, reason := states[table].reason)]
    assert [] == [version.table for version in published.tables if version.table in out and version.exact]
