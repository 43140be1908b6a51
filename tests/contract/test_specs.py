"""Specs: read whole, or refused with every problem at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tidemark_contract.errors import ConfigurationError, SpecError
from tidemark_contract.outlines import load_outlines
from tidemark_contract.specs import ColumnSpec, load_source, load_sources

GOOD = """
table: public.orders
owner: sales-data
description: One row per order.
key: [id]
columns:
  - {name: id, type: bigint, nullable: false}
  - {name: total, type: "numeric(12,2)"}
"""


def write(folder: Path, **files: str) -> Path:
    source = folder / "shop"
    source.mkdir()
    (source / "source.yaml").write_text("source: shop\n")
    for name, content in files.items():
        (source / f"{name}.yaml").write_text(content)
    return source


def test_a_source_is_read_with_its_tables(tmp_path: Path) -> None:
    write(tmp_path, **{"public.orders": GOOD})
    (source,) = load_sources(tmp_path)
    (orders,) = source.tables

    assert ("shop", "public.orders", ("id",)) == (source.name, str(orders.table), orders.key)
    assert (ColumnSpec("id", "bigint", False), ColumnSpec("total", "numeric(12,2)")) == orders.columns
    assert (orders,) == source.choose(("public.orders",)) == source.choose(())


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        **{
            "public.orders": GOOD.replace("[id]", "[idd]") + "on_schema_change: follow\n",
            "public.lines": "table: public.other\nkey: id\ncolums: []\n",
            "public.none": "- a list",
            "public.broken": "a: [",
        },
    )
    with pytest.raises(SpecError) as error:
        load_source(folder)

    told = str(error.value)
    assert "public.orders.yaml: key: 'idd' is not a column; columns are id, total" in told
    assert "on_schema_change: 'follow' must be evolve or freeze" in told
    for part in ("must be called public.other.yaml", "colums: unknown", "columns: is missing", "key: must be a list"):
        assert part in told
    assert "public.none.yaml: must be a mapping" in told
    assert "public.broken.yaml: cannot be read" in told
    assert 78 == error.value.exit_code


@pytest.mark.parametrize(
    "columns",
    ["[{name: a}]", "[{name: a, type: int, extra: 1}]", "[{name: a, type: int, nullable: maybe}]", "[]", "[a]"],
)
def test_a_wrong_column_is_named(tmp_path: Path, columns: str) -> None:
    folder = write(tmp_path, **{"public.t": f"table: public.t\nkey: []\ncolumns: {columns}\n"})
    with pytest.raises(SpecError, match=r"public\.t\.yaml: columns:"):
        load_source(folder)


def test_a_column_that_stands_twice_is_named(tmp_path: Path) -> None:
    columns = "[{name: a, type: integer}, {name: a, type: text}]"
    folder = write(tmp_path, **{"public.t": f"table: public.t\nkey: []\ncolumns: {columns}\n"})
    with pytest.raises(SpecError, match="'a' stands twice"):
        load_source(folder)


def test_a_folder_without_specs_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="tidemark discover"):
        load_sources(tmp_path)


@pytest.mark.parametrize("load", [load_sources, load_outlines])
def test_the_folder_of_a_source_has_its_name(tmp_path: Path, load: Callable[[Path], object]) -> None:
    """Jobs are told the name, and look for the folder."""
    write(tmp_path, **{"public.orders": GOOD}).rename(tmp_path / "shop-prod")
    with pytest.raises(SpecError, match="the folder of shop must be called shop"):
        load(tmp_path)


def test_a_table_without_a_spec_is_named_with_those_that_have_one(tmp_path: Path) -> None:
    source = load_source(write(tmp_path, **{"public.orders": GOOD}))
    with pytest.raises(ConfigurationError, match=r"public\.other has no spec .* public\.orders"):
        source.choose(("public.other",))


def test_a_table_may_keep_what_was_if_it_has_a_key(tmp_path: Path) -> None:
    keeps = "deletes: soft\nhistory: scd2\n"
    files = {"public.orders": GOOD + keeps, "public.t": "table: public.t\nkey: []\ncolumns: [{name: a, type: text}]\n"}
    folder = write(tmp_path, **files)
    orders, bag = load_source(folder).tables
    assert (True, True) == (orders.soft, orders.historic)
    assert (False, False) == (bag.soft, bag.historic)

    (folder / "public.t.yaml").write_text(files["public.t"] + keeps)
    with pytest.raises(SpecError) as error:
        load_source(folder)
    assert ["deletes: soft needs a key", "history: scd2 needs a key"] == [
        problem.removeprefix("public.t.yaml: ").partition(":")[0] + ":" + problem.split(":")[2]
        for problem in error.value.problems
    ]
