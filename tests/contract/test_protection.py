"""Protected columns in specs, the key of hashes, and the names of protections."""

import hashlib
import hmac
from pathlib import Path

import pytest

from tidemark_contract.errors import SettingsError, SpecError
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.settings import Settings
from tidemark_contract.specs import ColumnSpec, SourceSpec, TableSpec, load_source
from tidemark_contract.types import TEXT

SECRET = bytes(range(32))
KEY = HashKey("k1", SECRET)
TABLE = """
table: public.people
key: [{key}]
{more}columns:
  - {{name: id, type: integer, nullable: false{id}}}
  - {{name: ssn, type: text, protect: hash}}
  - {{name: note, type: text, protect: drop}}
  - {{name: born, type: date, protect: mask}}
"""


def load(folder: Path, key: str = "id", id: str = "", more: str = "") -> SourceSpec:
    (folder / "source.yaml").write_text("source: shop")
    (folder / "public.people.yaml").write_text(TABLE.format(key=key, id=id, more=more))
    return load_source(folder)


def test_a_dropped_column_is_known_and_not_stored(tmp_path: Path) -> None:
    [people] = load(tmp_path).tables

    assert ["id", "ssn", "born"] == [column.name for column in people.columns]
    assert ["id", "ssn", "note", "born"] == [column.name for column in people.all_columns]
    assert {"ssn": Protect.HASH, "note": Protect.DROP, "born": Protect.MASK} == people.protected
    assert [TEXT, TEXT] == [column.silver for column in people.columns[1:]]


def test_protected_columns_are_binding(tmp_path: Path) -> None:
    [people] = load(tmp_path).tables

    assert people.frozen
    with pytest.raises(SpecError, match="evolve cannot be with protected columns: one that is renamed would arrive"):
        load(tmp_path, more="on_schema_change: evolve\n")


def test_a_key_can_be_hashed_and_nothing_else(tmp_path: Path) -> None:
    [people] = load(tmp_path, id=", protect: hash").tables

    assert Protect.HASH is people.protected["id"]
    for how in ("drop", "mask"):
        with pytest.raises(SpecError, match=f"id: a key cannot be {how}"):
            load(tmp_path, id=f", protect: {how}")
    with pytest.raises(SpecError, match="protect must be drop, hash, mask"):
        load(tmp_path, id=", protect: blur")


def test_a_table_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source.yaml").write_text("source: shop")
    text = "table: public.t\nkey: []\ncolumns: [{name: a, type: text, protect: drop}]"
    (tmp_path / "public.t.yaml").write_text(text)

    with pytest.raises(SpecError, match="all of them are dropped"):
        load_source(tmp_path)


def test_tables_that_are_not_plain_are_told_apart(tmp_path: Path) -> None:
    source = load(tmp_path)
    (tmp_path / "public.t.yaml").write_text("table: public.t\nkey: []\ncolumns: [{name: a, type: text}]")

    assert frozenset() == source.plain
    assert {"t"} == {name.table for name in load_source(tmp_path).plain or ()}
    (tmp_path / "public.people.yaml").unlink()
    assert load_source(tmp_path).plain is None


def test_the_pads_make_an_hmac_of_a_hash() -> None:
    for secret in (SECRET, b"s" * 64, b"long" * 33):
        inner, outer = HashKey("k", secret).pads
        hashed = hashlib.sha256(outer + hashlib.sha256(inner + b"text").digest()).hexdigest()
        assert hmac.digest(secret, b"text", "sha256").hex() == hashed


def test_a_key_is_read_from_its_setting_and_never_shown(tmp_path: Path) -> None:
    environment = {"TIDEMARK_SPECS": "s", "TIDEMARK_LAKE": "file:///l", "TIDEMARK_STATE": "s"}
    settings = Settings.read({**environment, "TIDEMARK_HASH_KEY": KEY.text})

    assert KEY == settings.hash_key()
    assert SECRET.hex() not in f"{settings!r} {KEY!r} {KEY.name} {KEY}"
    assert Settings.read(environment).hash_key() is None
    for wrong in ("k1", SECRET.hex(), "k1:00ff", f"k 1:{SECRET.hex()}", f"k1:{SECRET.hex()}f"):
        with pytest.raises(SettingsError, match="is not <key id>:<hex of at least 32 bytes>") as refusal:
            Settings.read({**environment, "TIDEMARK_HASH_KEY": wrong}).hash_key()
        assert SECRET.hex() not in str(refusal.value)


def test_protections_by_another_key_have_another_name(tmp_path: Path) -> None:
    """One with the same id too: hashes of two keys can't be joined."""
    [people] = load(tmp_path).tables
    of_k1 = people.protection(KEY)

    assert f'{{"ssn": "hash {KEY.name}", "note": "drop", "born": "mask"}}' == of_k1
    assert 3 == len({of_k1, people.protection(HashKey("k2", SECRET)), people.protection(HashKey("k1", b"x" * 32))})
    with pytest.raises(SettingsError, match="TIDEMARK_HASH_KEY is not set"):
        people.protection(None)
    assert TableSpec(people.table, (ColumnSpec("id", "integer"),)).protection(None) is None
