"""What is to go is gone from the files of bronze and silver, and nothing else is; the proof finds what is left."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from tests.e2e.erasing import found
from tests.jobs.lake import LINES, LOG, ORDERS, Lake, delete, insert, mark, relation, update
from tidemark_contract.catalog import Catalog
from tidemark_contract.layout import Layout
from tidemark_contract.marks import Mark, MarkKind
from tidemark_contract.specs import Deletes, History, SourceSpec
from tidemark_contract.subjects import Subject
from tidemark_contract.visibility import Snapshot
from tidemark_jobs.control import Control, PublishedMark
from tidemark_jobs.erase import bronze, records
from tidemark_jobs.erase.bronze import Events
from tidemark_jobs.erase.proof import read_all
from tidemark_jobs.erase.reading import Reading
from tidemark_jobs.erase.tables import held, purge, strip
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.landing import Landing
from tidemark_jobs.maintain import compact, vacuum
from tidemark_jobs.tables import ProofRow, QuarantineRow

pytestmark = pytest.mark.drawn(2)

GONE = "gone-for-good"
KEYED = Subject(ORDERS, ("id",), {("2",): "entry 1: key 1"})
SAID = Subject(LOG, ("a",), {(GONE,): "entry 2: key 1"})
NOW = Catalog.parse(json.dumps([relation(spec) for spec in (ORDERS, LINES, LOG)]))
WANTED = [Wanted(spec, [KEYED, SAID], [NOW], NOW) for spec in (ORDERS, LOG)]


@pytest.fixture(scope="module")
def deleted(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Rows that were copied or streamed, then deleted; a transaction that no mark sees yet is in the same file."""
    lake = Lake(spark, tmp_path_factory.mktemp("deleted"))
    lake.copied(1, orders=[("1", "a", None), ("2", GONE, None)], log=[(GONE, "x"), ("stays", "x")])
    lake.land(mark(1, 100, kind="copy")).sync()
    lake.land(update(ORDERS, 101, id="2", state=f"{GONE}!", price="1"), insert(LOG, 101, a=GONE, b="y"), mark(2, 110))
    lake.sync()
    lake.land(
        insert(ORDERS, 120, id="9", state="long", price=None),
        *[delete(LOG, 111, a=GONE, b=b) for b in "xy"],
        delete(ORDERS, 111, id="2"),
        insert(LINES, 111, id="2", part="another table's 2"),
        mark(3, 120, 130, [120]),
    )
    lake.sync()
    return lake


@pytest.fixture
def lake(deleted: Lake, tmp_path: Path) -> Lake:
    return deleted.duplicate(tmp_path)


def published(lake: Lake) -> PublishedMark:
    found = lake.run.control.published()
    assert found is not None
    return found


def erased(lake: Lake) -> Reading:
    """Take out all that is wanted, as the job does it, and read what is left."""
    for wanted in WANTED:
        purge(lake.layout.silver(wanted.spec.table), wanted)
    lake.land(mark(4, 120, 131, [120])).sync()
    events = Events(WANTED, published(lake))
    found, unseen = bronze.holding(lake.layout, events)
    assert unseen == 0
    bronze.rewrite(lake.layout, found)
    bronze.clean(lake.layout)
    for wanted in WANTED:
        strip(lake.layout.silver(wanted.spec.table))
    return read_all(lake.layout, events)


def test_what_is_left_is_folded_compacted_and_vacuumed_on(lake: Lake) -> None:
    """A file that was written anew is never registered again; what no mark had seen is folded at the next."""
    assert erased(lake).left == {}
    assert [] == found(lake.root, GONE)
    assert 0 == Landing(lake.layout).register()
    lake.land(insert(ORDERS, 131, id="2", state="back", price=None), mark(5, 140)).sync()

    expected = ["1\ta\t\\N", "2\tback\t\\N", "9\tlong\t\\N"]
    assert expected == lake.lines(ORDERS) == lake.lines(ORDERS, by_spark=True)
    assert ["stays\tx"] == lake.lines(LOG)
    assert ["2\tanother table's 2"] == lake.lines(LINES)
    for path in (lake.layout.silver(ORDERS.table), lake.layout.bronze):
        compact(lake.spark, path)
        vacuum(lake.spark, path, 0, lite=path == lake.layout.bronze)
    lake.land(update(ORDERS, 141, id="9", state="again", price=None), mark(6, 150)).sync()
    assert "9\tagain\t\\N" in lake.lines(ORDERS, by_spark=True)


def test_nothing_else_is_touched_and_a_second_time_nothing_is_found(lake: Lake) -> None:
    others = lake.lines(LINES)
    erased(lake)
    events = Events(WANTED, published(lake))

    assert others == lake.lines(LINES)
    assert ([], 0) == bronze.holding(lake.layout, events)
    assert [0, 0] == [purge(lake.layout.silver(wanted.spec.table), wanted) for wanted in WANTED]
    assert [] == bronze.clean(lake.layout)
    assert [] == strip(lake.layout.silver(ORDERS.table))


def test_a_row_that_lives_is_found_and_not_purged(lake: Lake) -> None:
    url = lake.layout.silver(ORDERS.table)
    alive = Wanted(ORDERS, [Subject(ORDERS, ("id",), {("1",): "entry 1: key 1"})], [NOW], NOW)
    purge(url, alive)

    assert [["1"]] == [list(file.living) for file in held(url, alive)]
    lake.land(mark(4, 120, 131, [120])).sync()
    assert ["1\ta\t\\N"] == lake.lines(ORDERS)


def test_a_change_that_no_mark_sees_is_not_taken_out(lake: Lake) -> None:
    late = [Wanted(ORDERS, [Subject(ORDERS, ("id",), {("9",): "entry 1: key 1"})], [NOW], NOW)]
    assert ([], 1) == bronze.holding(lake.layout, Events(late, published(lake)))


def test_what_a_killed_stream_has_left_goes_and_what_it_works_on_stays(lake: Lake) -> None:
    folder = lake.root / "bronze" / "shop" / "_landing" / "000001"
    shutil.copy(folder / "part-0a-0-1", folder / f"part-0a-0-{lake.counter}")
    dead, works = (f".part-0a-0-{counter}.inprogress.x" for counter in (lake.counter, lake.counter + 1))
    for name in (dead, works):
        (folder / name).write_text(GONE)
    bronze.clean(lake.layout)

    left = {path.name for path in folder.iterdir()}
    assert {works, f"part-0a-0-{lake.counter}"} <= left, "of what no sync has registered nothing is deleted"
    assert dead not in left


def test_of_rows_that_are_kept_none_is_left_and_the_history_goes_on(deleted: Lake, tmp_path: Path) -> None:
    """Deleted rows in silver, old versions in a history; whose log begins anew, and tells no step any more."""
    kept = replace(ORDERS, deletes=Deletes.SOFT, history=History.SCD2)
    lake = Lake(deleted.spark, tmp_path, SourceSpec("shop", (kept, LINES, LOG)))
    lake.copied(1, orders=[("1", "a", None), ("2", GONE, None)]).land(mark(1, 100, kind="copy")).sync()
    lake.land(update(ORDERS, 101, id="2", state=f"{GONE}!", price="1"), mark(2, 110)).sync()
    lake.land(delete(ORDERS, 111, id="2"), mark(3, 120)).sync()
    wanted, urls = WANTED[:1], [lake.layout.silver(ORDERS.table), lake.layout.history(ORDERS.table)]
    assert all(purge(url, wanted[0]) for url in urls)
    lake.land(mark(4, 121)).sync()
    events = Events(wanted, published(lake))
    assert {"bronze", "history/public.orders", "silver/public.orders"} == set(read_all(lake.layout, events).left)
    bronze.rewrite(lake.layout, bronze.holding(lake.layout, events)[0])
    bronze.clean(lake.layout)
    for url in urls:
        strip(url)

    assert {} == read_all(lake.layout, events).left
    lake.land(update(ORDERS, 131, id="1", state="b", price=None), mark(5, 140)).sync()
    assert ["1\tb\t\\N"] == lake.lines(kept)
    told = lake.spark.read.format("delta").load(urls[1]).orderBy("_from_mark").select("state", "_from_lsn", "_to_lsn")
    assert [("a", None, lake.lsn - 10), ("b", lake.lsn - 10, None)] == [tuple(row) for row in told.collect()]


def test_a_history_that_nobody_goes_on_with_holds_no_row_up(deleted: Lake, tmp_path: Path) -> None:
    """Its spec asked for one until the row was deleted: that version is open for good."""
    told = replace(ORDERS, history=History.SCD2)
    lake = Lake(deleted.spark, tmp_path, SourceSpec("shop", (told, LINES, LOG)))
    lake.copied(1, orders=[("1", "a", None), ("2", GONE, None)]).land(mark(1, 100, kind="copy")).sync()
    url, still = lake.layout.history(ORDERS.table), Wanted(told, [KEYED], [NOW], NOW)
    assert ["2"] == [line for file in held(url, still) for line in file.living]
    lake.spec = SourceSpec("shop", (ORDERS, LINES, LOG))
    lake.land(delete(ORDERS, 101, id="2"), mark(2, 110)).sync()

    assert [] == [line for file in held(url, WANTED[0]) for line in file.living]
    assert 1 == purge(url, WANTED[0])
    left = lake.spark.read.format("delta").load(url).select("_key", "_open").collect()
    assert [("1", True)] == [tuple(row) for row in left]


@pytest.mark.parametrize("place", ["a file of silver", "a landing file", "an entry of a log", "a bound", "a claim"])
def test_the_proof_finds_what_is_left(deleted: Lake, lake: Lake, place: str) -> None:
    """Whatever it is, and whether or not any log knows of it."""
    assert erased(lake).left == {}
    old = deleted.root / "silver" / "shop" / "public.orders"
    silver, landing = old.relative_to(deleted.root), Path("bronze/shop/_landing/000001")
    match place:
        case "a file of silver":
            file = next(path for path in old.rglob("*.parquet") if "_delta_log" not in path.parts)
            shutil.copy(file, lake.root / silver / file.name)
        case "a landing file":
            shutil.copy(deleted.root / landing / "part-0a-0-1", lake.root / landing)
        case "an entry of a log" | "a bound":
            shutil.copy(old / "_delta_log" / f"{1:020d}.json", lake.root / silver / "_delta_log")
        case _:
            (lake.root / "control" / "_claims" / "shop" / "x.json").write_text(json.dumps({"said": GONE}))
    # Without the long key no text tells, only that the short one is the highest of a file.
    wanted = WANTED[:1] if place == "a bound" else WANTED
    left = read_all(lake.layout, Events(wanted, published(lake))).left

    assert 1 == len(left), left
    assert all(count > 0 for count in left.values())


def test_what_control_tells_of_another_source_stays(tmp_path: Path) -> None:
    """The tables are shared: of two sources that have quarantined the same key, one forgets it."""
    now = datetime.now(UTC)
    shop, other = (Control(Layout(tmp_path.as_uri(), name)) for name in ("shop", "other"))
    for control in (shop, other):
        raws = [json.dumps({"op": "u", "before": {"a": who}, "after": {"b": "x"}}) for who in (GONE, "stays")]
        control.add_quarantine(
            [QuarantineRow(control.source, "public.log", 1, n, 0, "why", raw, now) for n, raw in enumerate(raws)]
        )
        key = json.dumps([{"key": f"{GONE}\tx", "kind": "extra", "columns": []}])
        control.add_proofs([ProofRow(control.source, "public.log", 1, 1, now, False, 3, 1, key, now)])
    mark_row = Mark(1, "n", None, MarkKind.SYNC, Snapshot.parse("9:9:"), 1, now, "7", 1, "[]")
    events = Events(WANTED, PublishedMark(mark_row, 1, 1, 0, (), now))
    assert {"control/quarantine": 1, "control/proofs": 1} == read_all(shop.layout, events).rows

    assert 2 == records.clear(shop, WANTED)
    assert 0 == records.clear(shop, WANTED)
    for name in records.TABLES:
        records.strip(shop.layout, name)

    assert {} == read_all(shop.layout, events).left
    assert (1, 2) == (len(shop.quarantine()), len(other.quarantine()))
    assert (["[]"], [key]) == ([p.details for p in shop.proofs()], [p.details for p in other.proofs()])


def test_a_change_is_known_by_every_name_that_its_table_and_its_key_ever_had() -> None:
    """Renamed since, or of a partition; by its old row, its new one, or both where a key column was not sent again."""
    columns = [{"number": n, "name": name, "type": 25, "declared": "text"} for n, name in ((1, "uid"), (2, "kind"))]
    called = relation(ORDERS, table="sales", columns=columns, keys=[[1, 2]], key=[1, 2])
    leaf = relation(ORDERS, oid=77, table="sales_2026", root=called["oid"])
    today = Catalog.parse(json.dumps([called | {"table": "orders", "columns": _renamed(columns)}, leaf]))
    spec = ORDERS
    subject = Subject(spec, ("id", "state"), {("2", "x"): "entry 1: key 1"})
    wanted = Wanted(spec, [subject], [Catalog.parse(json.dumps([called])), today], today)
    facts = [
        ("orders", 1, None, {"id": "2", "state": "x"}, True),
        ("sales_2026", 77, {"id": "2", "state": "x"}, None, True),
        ("sales", called["oid"], {"uid": "2", "kind": "x"}, {"uid": "3", "kind": "x"}, True),
        ("orders", 1, {"id": "9", "state": "x"}, {"id": "2"}, True),
        ("orders", 1, None, {"id": "x", "state": "2"}, False),
        ("orders", 1, None, {"id": "2", "state": None}, False),
        ("other", 5, None, {"id": "2", "state": "x"}, False),
    ]
    texts = pa.map_(pa.string(), pa.string())
    rows = pa.table(
        {
            "schema_name": ["public"] * len(facts),
            "table_name": [name for name, *_ in facts],
            "relation_id": [oid for _, oid, *_ in facts],
            "before": pa.array([before and list(before.items()) for _, _, before, *_ in facts], texts),
            "after": pa.array([after and list(after.items()) for *_, after, _ in facts], texts),
        }
    )

    assert [expected for *_, expected in facts] == np.asarray(wanted.events(rows)).tolist()


def _renamed(columns: list[dict[str, object]]) -> list[dict[str, object]]:
    return [column | {"name": name} for column, name in zip(columns, ("id", "state"), strict=True)]
