"""What shall be erased: read as text, whatever it looks like, or refused with every problem and without a value."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tidemark_contract.errors import SpecError
from tidemark_contract.names import TableName
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.specs import ColumnSpec, TableSpec
from tidemark_contract.subjects import Subject, read_subjects

PERSON = TableSpec(TableName("public", "person"), (ColumnSpec("email", "text"), ColumnSpec("n", "text")), ("email",))
VISIT = TableSpec(
    TableName("Odd", 'v"t'),
    (ColumnSpec("day", "date"), ColumnSpec("who", "text"), ColumnSpec("x", "text")),
    ("day", "who"),
)
LOG = TableSpec(TableName("public", "log"), (ColumnSpec("a", "text"), ColumnSpec("b", "text")))
GOOD = """
- table: public.person
  keys: [1.00, 2026-01-01, "null", {email: yes}]
- table: '"Odd"."v""t"'
  keys:
    - [2026-01-01, alice]
    - {who: bob, day: 2026-01-02}
- {table: public.person, keys: ["1.00", 007]}
- {table: public.log, keys: [{b: x}, {a: x, b: y}]}
"""


def read(tmp_path: Path, text: str) -> dict[tuple[str, tuple[str, ...]], list[tuple[str, ...]]]:
    file = tmp_path / "subject.yaml"
    file.write_text(text)
    found = read_subjects(file, [PERSON, VISIT, LOG])
    return {(str(subject.spec.table), subject.columns): list(subject.keys) for subject in found}


def test_keys_are_texts_in_the_order_of_their_columns(tmp_path: Path) -> None:
    assert {
        ("public.person", ("email",)): [("1.00",), ("2026-01-01",), ("null",), ("yes",), ("007",)],
        ('"Odd"."v""t"', ("day", "who")): [("2026-01-01", "alice"), ("2026-01-02", "bob")],
        ("public.log", ("b",)): [("x",)],
        ("public.log", ("a", "b")): [("x", "y")],
    } == read(tmp_path, GOOD)


def test_keys_are_also_what_is_stored_of_them() -> None:
    """Of a hashed column the hash; what the lake had of it before it was protected is its own text."""
    hashed = VISIT.with_columns((VISIT.columns[0], replace(VISIT.columns[1], protect=Protect.HASH), VISIT.columns[2]))
    key = HashKey("k1", bytes(32))
    subject = Subject(hashed, ("day", "who"), {("2026-01-01", "bob"): "entry 1: key 1"})

    assert {
        ("2026-01-01", "bob"): "entry 1: key 1",
        ("2026-01-01", key.hashed("bob")): "entry 1: key 1",
    } == subject.as_stored(key).keys
    assert replace(subject, spec=VISIT) == replace(subject, spec=VISIT).as_stored(key)


def test_rows_are_not_named_by_what_is_masked(tmp_path: Path) -> None:
    masked = LOG.with_columns((LOG.columns[0], replace(LOG.columns[1], protect=Protect.MASK)))
    (tmp_path / "subject.yaml").write_text("[{table: public.log, keys: [{b: x}]}]")

    with pytest.raises(SpecError, match="some of its columns that are not masked"):
        read_subjects(tmp_path / "subject.yaml", [masked])


def test_json_is_read_too(tmp_path: Path) -> None:
    told = json.dumps([{"table": "public.person", "keys": ['tab\t"q" \\ ü', 7]}])
    assert {("public.person", ("email",)): [('tab\t"q" \\ ü',), ("7",)]} == read(tmp_path, told)


def test_every_problem_is_told_at_once_and_no_value(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        read(
            tmp_path,
            """
- {table: public.nobody, keys: [secret]}
- {table: public.person, keys: []}
- {table: public.person, keys: [[secret, secret], {mail: secret}, [[secret]], {}]}
- {table: '"Odd"."v""t"', keys: [secret, [secret], {day: secret}]}
- {table: public.log, keys: [[secret, secret], {c: secret}]}
- {table: public.person, kys: [secret]}
- {table: nonsense, keys: [x]}
""",
        )
    told = str(refused.value)
    for part in (
        "entry 1: public.nobody has no spec; tables are",
        "entry 2: keys: must be a list with a key or more",
        *(f"entry 3: key {n}: must be the text of its value, or a list or mapping" for n in (1, 2, 3, 4)),
        *(f'entry 4: key {n}: must be a list or mapping of the key columns of "Odd"."v""t"' for n in (1, 2, 3)),
        *(f"entry 5: key {n}: public.log has no key: must be a mapping" for n in (1, 2)),
        "entry 6: must have table and keys",
        "entry 7: 'nonsense' is not a table name",
    ):
        assert part in told
    assert "secret" not in told
    assert 78 == refused.value.exit_code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [secret", "is no YAML: line"),
        ("{}", "must be a list"),
        ("", "must be a list"),
        ("- secret", "entry 1: must"),
    ],
)
def test_what_is_no_list_of_tables_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SpecError, match=told) as refused:
        read(tmp_path, text)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        read_subjects(tmp_path / "none.yaml", [PERSON])
