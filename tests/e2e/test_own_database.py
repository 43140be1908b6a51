"""A database that is not ours, by the steps of docs/quickstart.md: every type and odd name, by copy and by stream."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.e2e import own
from tests.e2e.values import TYPES, rows
from tests.e2e.world import World, lines_of, warm_run
from tests.e2e.wrong_cells import proving
from tests.variants import ALL
from tidemark_contract.argv import Job
from tidemark_contract.names import TableName
from tidemark_contract.settings import Settings
from tidemark_jobs.export import copy_lines
from tidemark_jobs.reader import open_source, read_by_spark
from tidemark_jobs.run import Run
from tidemark_jobs.session import session_beside

CORRUPTIONS = int(os.environ.get("TIDEMARK_CORRUPTIONS", "30" if ALL else "10"))
EVERYTHING = TableName("types", "everything")
BAGS = ("public.pgbench_history", "types.bag")


class OwnDatabase(World):
    """Remembers what each command said."""

    def fill(self, connection: psycopg.Connection) -> None:
        own.make(connection)

    def said(self, *words: str, code: int = 0) -> str:
        done = self.tidemark(*words)
        assert code == done.returncode, f"{words}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnDatabase]:
    with OwnDatabase.on("18", tmp_path_factory.mktemp("mirror")) as made:
        yield made


@pytest.fixture(scope="module")
def truth(spark: SparkSession) -> SparkSession:
    """Few rows of many columns: generated code costs more than it saves."""
    return session_beside(spark, few=True)


@pytest.fixture(scope="module")
def found(world: OwnDatabase) -> str:
    return world.said("discover", "--name", "shop")


@pytest.fixture(scope="module")
def mirrored(world: OwnDatabase, found: str) -> int:
    """Set up, copy, write, sync and verify; give a mark whose truth is known."""
    with psycopg.connect(world.url("owner"), autocommit=True) as connection:
        for bag in BAGS:
            connection.execute(f"ALTER TABLE {bag} REPLICA IDENTITY FULL")
        world.said("init")
        world.said("start", "--detach", "--checkpoint-interval", "1s")
        world.said("copy")
        own.write(connection)
    mark = world.take_truth()
    world.said("sync")
    return mark


def everything(world: World, spark: SparkSession, mark: int, first: int) -> DataFrame:
    """The silver values of 16 rows of types.everything from an id on, numbered; the typed columns and `_exact`."""
    published = world.control.published(mark)
    version = published and published.version(EVERYTHING)
    assert version
    silver = read_by_spark(spark, world.control.layout.silver(EVERYTHING), version.version)
    mine = silver.where(F.col("id").between(first, first + len(rows()) - 1))
    return mine.withColumn("id", F.col("id") - first).drop("doubled", "defaulted", "_key", "_mark", "_commit_lsn")


def test_discover_finds_every_table_and_says_what_it_leaves_out(world: OwnDatabase, found: str) -> None:
    assert 11 == len(world.spec.tables)
    assert {TableName(*name) for name in own.ODD_TABLES} <= {spec.table for spec in world.spec.tables}
    assert "left out: types.everything: column 'tripled' is generated (virtual)" in found
    assert all(column.name == column.type for column in world.spec.table(EVERYTHING).columns[2:-1])


def test_a_table_without_a_key_is_named_with_the_cure_and_nothing_is_changed(world: OwnDatabase, found: str) -> None:
    for words in (["init", "--dry-run"], ["init"]):
        said = world.said(*words, code=78)
        for bag in BAGS:
            assert f"{bag}: it has no key: ALTER TABLE {bag} REPLICA IDENTITY FULL" in said
        assert 2 == len(said.strip().splitlines())
    with psycopg.connect(world.url("owner")) as connection:
        assert [(None,)] == connection.execute("SELECT to_regnamespace('tidemark')").fetchall()


@pytest.mark.slow
@pytest.mark.drawn(3)
@pytest.mark.timeout(900)
def test_every_table_is_what_copy_to_stdout_writes(world: OwnDatabase, truth: SparkSession, mirrored: int) -> None:
    published, tables = open_source(truth, world.control.layout.root, "shop", mirrored)
    assert {spec.table for spec in world.spec.tables} == tables.keys(), world.control.tables()
    for spec in world.spec.tables:
        expected = world.truth[mirrored][str(spec.table)]
        assert expected == sorted(row[0] + "\n" for row in copy_lines(tables[spec.table], spec).collect()), spec.table
        version = published.version(spec.table)
        assert version
        assert len(expected) == version.rows


@pytest.mark.slow
@pytest.mark.drawn(3)
def test_copy_and_stream_give_the_same_values(world: OwnDatabase, truth: SparkSession, mirrored: int) -> None:
    copied, streamed, updated = (everything(world, truth, mirrored, first) for first in (1, 1001, 2001))
    # A map has no equality in Spark; its text does.
    copied, streamed, updated = (
        frame.withColumn("_exact", F.col("_exact").cast("string")) for frame in (copied, streamed, updated)
    )

    assert len(rows()) == copied.count()
    for other in (streamed, updated):
        assert [] == copied.exceptAll(other).collect()
        assert [] == other.exceptAll(copied).collect()


@pytest.mark.slow
@pytest.mark.drawn(3)
def test_only_what_a_type_cannot_hold_is_kept_as_text_beside_it(
    world: OwnDatabase, truth: SparkSession, mirrored: int
) -> None:
    silver = everything(world, truth, mirrored, 1001)
    kept = {(name, text) for row in silver.select("_exact").collect() for name, text in (row[0] or {}).items()}

    assert {"infinity", "-infinity", "4714-11-24 BC", "10000-01-01", "294276-12-31", "5874897-12-31"} <= {
        text for name, text in kept if name == "date"
    }
    assert ("numeric(12,2)", "NaN") in kept
    assert ("timestamp with time zone", "0044-03-15 12:00:00+00 BC") in kept
    assert {"date", "timestamp without time zone", "timestamp with time zone", "numeric(12,2)", "numeric(38,10)"} == {
        name for name, _ in kept
    }
    held = ("0001-01-01", "1582-10-10", "1969-12-31", "2026-", "9999-12-31")
    assert not {(name, text) for name, text in kept if text.startswith(held) and not text.endswith("BC")}


@pytest.mark.slow
@pytest.mark.drawn(3)
def test_what_the_contract_does_not_know_is_its_text(world: OwnDatabase, truth: SparkSession, mirrored: int) -> None:
    silver = everything(world, truth, mirrored, 1001).select(F.col("`types~2ecube`").alias("cube"))

    assert {None, "(1.5, -0),(2, 3)"} == {row["cube"] for row in silver.collect()}
    assert len(TYPES) > 80


@pytest.mark.slow
@pytest.mark.drawn(3)
@pytest.mark.parametrize(("pages", "large"), [(20, True), (1_000_000, False)])
def test_a_first_copy_is_large_by_the_pages_of_its_tables(
    world: OwnDatabase, mirrored: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int, large: bool
) -> None:
    """Nothing is published in its lake that could tell: it has to ask the source."""
    monkeypatch.setattr("tidemark_jobs.run.LARGE_PAGES", pages)
    settings = Settings.read({**world.environment, "TIDEMARK_LAKE": tmp_path.as_uri()})

    assert large == Run(Job("copy", "shop"), settings)._is_large()


@pytest.mark.slow
@pytest.mark.drawn(3)
@pytest.mark.timeout(3600)
def test_a_proof_finds_every_single_wrong_cell_and_no_other(
    world: OwnDatabase, spark: SparkSession, mirrored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Types, columns and rows at random, read by Spark or by delta-rs."""
    chance = random.Random(os.environ.get("TIDEMARK_SEED"))
    run = warm_run(world.environment, session_beside(spark, few=True), Job("verify", "shop", timeout=180))
    specs = [spec for spec in world.spec.tables if world.truth[mirrored][str(spec.table)]]
    missed = []
    with proving(run, specs) as proofs:
        for number in range(-(-CORRUPTIONS // len(specs))):
            monkeypatch.setattr("tidemark_jobs.reader.FEW_ROWS", 0 if number % 5 == 1 else 50_000)
            missed += proofs.missed(chance)
        assert [] == proofs.unequal(chance.sample(proofs.specs, 3)), "a false alarm"
    assert not missed, "\n".join(missed)


@pytest.mark.slow
@pytest.mark.drawn(3)
@pytest.mark.timeout(900)
def test_it_is_proven_exported_looked_at_and_taken_down(world: OwnDatabase, mirrored: int) -> None:
    proof = world.said("verify")
    exported = world.must("export", str(EVERYTHING), "--mark", str(mirrored))
    status = world.said("status")

    assert 11 == proof.count("  equal")
    assert world.truth[mirrored][str(EVERYTHING)] == lines_of(exported)
    assert "verified through mark" in status
    world.said("drop", "--yes", code=78)
    world.said("stop")
    world.said("drop", "--yes")
    with psycopg.connect(world.url("owner")) as connection:
        left = "SELECT to_regnamespace('tidemark'), (SELECT count(*) FROM pg_replication_slots)"
        assert [(None, 0)] == connection.execute(left).fetchall()
