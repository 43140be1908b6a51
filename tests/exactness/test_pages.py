"""The pages that are rendered from the tests tell them all, and name none that is not there."""

from pathlib import Path

from tests import guarantees, platform
from tests.exactness import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_cases_tells_every_case() -> None:
    assert page.render() == (DOCS / "exactness.md").read_text(encoding="utf-8")


def test_the_page_of_the_promises_tells_every_promise() -> None:
    assert guarantees.render() == (DOCS / "guarantees.md").read_text(encoding="utf-8")


def test_no_promise_goes_without_a_test() -> None:
    lines = [line for section in guarantees.promises().values() for line in section]

    assert [] == [line["what"] for line in lines if not line["tests"]]
    assert [] == [test for line in lines for test in guarantees.missing(line["tests"])]


def test_the_page_of_the_platform_tells_every_item_and_names_tests_that_are_there() -> None:
    tests = [test for section in platform.items().values() for item in section for test in item["tests"]]

    assert platform.render() == (DOCS / "platform.md").read_text(encoding="utf-8")
    assert [] == guarantees.missing(tests)
    assert len(tests) > 30


def test_a_test_that_is_not_there_is_missing() -> None:
    here = "tests/exactness/test_pages.py"

    assert [f"{here}::test_nothing", "tests/nowhere.py"] == guarantees.missing(
        [here, f"{here}::test_nothing", "tests/nowhere.py", f"{here}::test_no_promise_goes_without_a_test"]
    )
