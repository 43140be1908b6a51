"""The page about types is what the contract says."""

from pathlib import Path

from tidemark_contract.names import RESERVED_COLUMNS
from tidemark_contract.types import FIXED, Codec, silver_type
from tidemark_contract.types_page import render

PAGE = Path(__file__).parents[2] / "docs" / "types.md"


def test_the_page_is_what_is_rendered() -> None:
    assert render() == PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_every_named_type_and_every_codec_is_on_it() -> None:
    table = [line for line in render().splitlines() if line.startswith("| ")]

    for name in FIXED:
        assert any(line.startswith(f"| `{name}` | `{silver_type(name).spark}` |") for line in table)
    assert {codec.value for codec in Codec} == {line.split(" | ")[2] for line in table[1:]}


def test_every_name_that_is_taken_is_on_it() -> None:
    assert [] == [
        name for name in RESERVED_COLUMNS if name not in ("_gone", "_unknown") and f"`{name}`" not in render()
    ]
