"""Changes and copies that were protected in another way than the spec says: never taken in, never mixed."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from tests.jobs.lake import LINES, LOG, ORDERS, Event, Lake, delete, insert, mark, relation
from tests.jobs.test_history import versions
from tidemark_contract.catalog import Catalog
from tidemark_contract.errors import SettingsError
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.specs import Deletes, History, SourceSpec, TableSpec
from tidemark_contract.subjects import Subject
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.erase.wanted import Wanted

pytestmark = pytest.mark.drawn(5)

KEY, OTHER = HashKey("k1", bytes(32)), HashKey("k1", b"x" * 32)


def protected(spec: TableSpec, **how: Protect) -> TableSpec:
    return spec.with_columns(tuple(replace(column, protect=how.get(column.name)) for column in spec.all_columns))


MASKED = protected(LINES, part=Protect.MASK)
HASHED = protected(LINES, part=Protect.HASH)
LABEL = MASKED.protection(None)


def shop(lines: TableSpec) -> SourceSpec:
    return SourceSpec("shop", (ORDERS, lines, LOG))


def made(spark: SparkSession, root: Path, lines: TableSpec, key: HashKey = KEY) -> Lake:
    """A lake with a copy at mark 1."""
    lake = Lake(spark, root, spec=shop(lines), environment={"TIDEMARK_HASH_KEY": key.text})
    return lake.copied(1, lines=[("1", "***")]).land(mark(1, 100, kind="copy"))


def reason(lake: Lake) -> str:
    state = lake.run.control.tables()[LINES.table]
    assert "stale" == state.state
    assert "live" == lake.state(ORDERS), "its siblings stay"
    return state.reason


def one_row(lake: Lake, event: Event) -> pa.Table:
    """Land an event in a file without the column that came later."""
    lake.lsn += 10
    return pa.Table.from_pylist([lake._row(event, 0)], CHANGES).drop(["protection"])


def change(label: str | None, event: Event) -> Event:
    return replace(event, protection=label)


def test_what_was_protected_as_the_spec_says_is_folded(spark: SparkSession, tmp_path: Path) -> None:
    lake = made(spark, tmp_path, MASKED)
    lake.land(change(LABEL, insert(LINES, 101, id="2", part="***")), insert(ORDERS, 102, id="1", state="a", price=None))
    lake.land(mark(2, 110)).sync()

    assert ["1\t***", "2\t***"] == lake.lines(MASKED)


def test_a_history_has_each_version_of_a_row_with_protected_columns(spark: SparkSession, tmp_path: Path) -> None:
    """Also one that came and went between two marks."""
    told = replace(MASKED, history=History.SCD2)
    lake = made(spark, tmp_path, told)
    lake.sync()
    at = lake.lsn
    lake.land(
        change(LABEL, insert(LINES, 101, id="2", part="***")), change(LABEL, delete(LINES, 102, id="2")), mark(2, 110)
    ).sync()

    assert [("1\t***", None, None, 1, None), ("2\t***", at + 10, at + 20, 2, 2)] == versions(lake, told)


@pytest.mark.parametrize(
    "event",
    [
        change(None, insert(LINES, 101, id="2", part="canary")),
        change(None, delete(LINES, 101, id="1")),
        change("closed", Event(LINES.table, "c", 101, after={})),
        change(HASHED.protection(KEY), insert(LINES, 101, id="2", part="k1:00")),
    ],
    ids=["plain", "a delete", "closed", "hashed"],
)
def test_changes_that_were_sent_otherwise_take_their_table_out(
    spark: SparkSession, tmp_path: Path, event: Event
) -> None:
    """They are not looked into: what they hold may be plain, and is not for quarantine."""
    lake = made(spark, tmp_path, MASKED)
    lake.sync()
    lake.land(change(LABEL, insert(LINES, 101, id="3", part="***")), event, mark(2, 110)).sync()

    assert "the stream has not protected its columns as its spec says: it reads the specs when it starts" in reason(
        lake
    )
    assert [] == lake.run.control.quarantine()
    assert 1 == open_table(lake.layout.silver(LINES.table)).version(), "it is as it was copied"


def test_protected_changes_of_a_table_that_is_not_take_it_out_too(spark: SparkSession, tmp_path: Path) -> None:
    """A text that stands for a value is not one."""
    lake = made(spark, tmp_path, LINES)
    lake.land(change(LABEL, insert(LINES, 101, id="2", part="***")), mark(2, 110)).sync()

    assert "tidemark start" in reason(lake)


def test_a_copy_under_other_protections_is_not_adopted(spark: SparkSession, tmp_path: Path) -> None:
    lake = replace(made(spark, tmp_path, LINES), spec=shop(MASKED))
    lake.sync()

    assert "protected in another way, or with another key, when it was copied: `tidemark copy`" in reason(lake)
    assert 0 == open_table(lake.layout.silver(LINES.table)).version(), "nothing of it is in the table"


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [(LINES, HASHED, KEY), (HASHED, LINES, KEY), (HASHED, MASKED, KEY), (HASHED, HASHED, OTHER)],
    ids=["hashed now", "plain now", "masked now", "another key of the same id"],
)
def test_a_live_table_whose_protections_change_is_out_until_it_is_copied(
    spark: SparkSession, tmp_path: Path, before: TableSpec, after: TableSpec, key: HashKey
) -> None:
    lake = made(spark, tmp_path, before)
    lake.sync()
    changed = replace(lake, spec=shop(after), environment={"TIDEMARK_HASH_KEY": key.text})
    changed.land(mark(2, 110)).sync()
    assert "`tidemark copy` brings it back" in reason(changed)

    changed.copied(3, lines=[("1", "***")]).land(mark(3, 120, kind="copy")).sync()
    assert ["1\t***"] == changed.lines(after)


def test_a_copy_keeps_no_plain_value_of_a_row_that_was_deleted(spark: SparkSession, tmp_path: Path) -> None:
    soft = replace(LINES, deletes=Deletes.SOFT)
    lake = Lake(spark, tmp_path, spec=shop(soft)).copied(1, lines=[("1", "canary"), ("2", "p")])
    lake.land(mark(1, 100, kind="copy")).sync()
    lake.land(delete(LINES, 101, id="1"), mark(2, 110)).sync()

    masked = replace(lake, spec=shop(protected(soft, part=Protect.MASK)))
    masked.copied(3, lines=[("2", "***")]).land(mark(3, 120, kind="copy")).sync()
    rows = spark.read.format("delta").load(lake.layout.silver(LINES.table)).select("id", "part", "_deleted").collect()
    assert [(1, None, True), (2, "***", False)] == sorted(tuple(row) for row in rows)


def test_a_key_that_is_not_set_is_said_before_anything_is_done(spark: SparkSession, tmp_path: Path) -> None:
    lake = replace(made(spark, tmp_path, HASHED), environment={})

    with pytest.raises(SettingsError, match="TIDEMARK_HASH_KEY is not set"):
        lake.sync()


def test_an_erasure_knows_rows_by_their_hashes_and_by_what_they_were_before(
    spark: SparkSession, tmp_path: Path
) -> None:
    spec = protected(LINES, id=Protect.HASH)
    now = Catalog.parse(json.dumps([relation(LINES)]))
    subject = Subject(spec, ("id",), {("1",): "entry 1: key 1"}).as_stored(KEY)
    ids = ["1", KEY.hashed("1"), OTHER.hashed("1"), KEY.hashed("2")]
    lake = Lake(spark, tmp_path).land(*[insert(LINES, 100 + n, id=id_, part="p") for n, id_ in enumerate(ids)])

    wanted = Wanted(spec, [subject], [now], now)
    assert [True, True, False, False] == wanted.events(lake.landed[0]).tolist()
    assert [True, True, False, False] == wanted.keys(pa.chunked_array([ids])).tolist()
