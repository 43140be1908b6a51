from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.layout import Layout
from tidemark_streaming.incarnations import Incarnations


def test_numbers_are_taken_from_one_on_and_per_source(tmp_path: Path) -> None:
    shop, crm = (Incarnations(Layout(f"file://{tmp_path}", source)) for source in ("shop", "crm"))

    assert 0 == shop.current()
    assert [1, 2, 1] == [shop.take(), shop.take(), crm.take()]
    assert (2, 1) == (shop.current(), crm.current())
    assert (tmp_path / "control/_claims/shop/incarnations/000002").is_file()


def test_no_number_is_given_twice_however_many_ask_at_once(tmp_path: Path) -> None:
    layout = Layout(f"file://{tmp_path}", "shop")

    with ThreadPoolExecutor(8) as crowd:
        taken = list(crowd.map(lambda _: Incarnations(layout).take(), range(40)))

    assert list(range(1, 41)) == sorted(taken)


def test_a_lake_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "control").write_text("a file where a folder should be")

    with pytest.raises(LakeUnavailable, match="control/_claims/shop"):
        Incarnations(Layout(f"file://{tmp_path}", "shop")).take()
