"""Names: every form can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.names import RESERVED_COLUMNS, TableName, encode_path, silver_columns, slot_name

IDENTIFIERS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=20)


@given(IDENTIFIERS | st.just("order"), IDENTIFIERS)
def test_a_table_reads_back_from_sql(schema: str, table: str) -> None:
    name = TableName(schema, table)

    assert name == TableName.parse(str(name))


def test_a_keyword_is_quoted() -> None:
    assert '"select"."order"' == str(TableName("select", "order"))


@given(IDENTIFIERS)
def test_a_path_is_safe_for_files_urls_and_keys(name: str) -> None:
    assert set(encode_path(name)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_~")


@given(st.lists(IDENTIFIERS | st.text("tT~4", min_size=1, max_size=3) | st.text("ü", min_size=30), unique=True))
def test_paths_differ_also_where_files_have_no_case(names: list[str]) -> None:
    assert len(names) == len({encode_path(name).lower() for name in names})


def test_the_longest_names_make_the_name_of_a_file() -> None:
    longest = TableName("ü" * 31 + "x", "ü" * 31 + "y")

    assert len(f"{longest.path}.yaml".encode()) <= 255
    assert "a~22b" == encode_path('a"b')
    assert encode_path("Odd Schema").startswith("Odd~20Schema~~")


@given(st.lists(IDENTIFIERS | st.sampled_from([*RESERVED_COLUMNS, "a", "A", "a~", "_KEY"]), unique=True))
def test_silver_columns_are_one_to_one_whatever_the_case(columns: list[str]) -> None:
    names = list(silver_columns(columns).values())

    assert len(columns) == len({name.lower() for name in names})
    assert not {name.lower() for name in names} & set(RESERVED_COLUMNS)
    assert not any(character in name for name in names for character in " ,;{}()\n\t=`.")


def test_ordinary_names_stay() -> None:
    assert {"id": "id", "Größe": "Größe"} == silver_columns(["id", "Größe"])
    assert "public.orders" == str(TableName.parse("Public.Orders")) == TableName("public", "orders").path
    assert '"Odd Schema"."a""b"' == str(TableName("Odd Schema", 'a"b'))


@pytest.mark.parametrize("text", ["orders", "a.b.c", "", '"a.b', "a."])
def test_what_is_no_table_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a table name"):
        TableName.parse(text)


@pytest.mark.parametrize("name", ["", "Shop", "1shop", "a-b", "a" * 55])
def test_what_cannot_name_a_slot_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="source name"):
        slot_name(name)


def test_a_slot_name_fits() -> None:
    assert 63 == len(slot_name("a" * 54))
