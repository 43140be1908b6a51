"""Of protected columns nothing is left behind in plain, whatever was done to their tables; and hashes can be joined."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.world import HASH_KEY, warm_run
from tests.exactness.cases import chosen_cases
from tests.exactness.conftest import Played
from tests.walking import content_of, files_below
from tidemark_contract.argv import Job
from tidemark_contract.errors import ConfigurationError
from tidemark_contract.names import TableName
from tidemark_jobs.copy import copy
from tidemark_jobs.reader import read_version
from tidemark_jobs.repair import repair
from tidemark_jobs.run import Run
from tidemark_jobs.sync import sync_job
from tidemark_jobs.verify import verify

CANARY = b"kanarie"
PEOPLE, VISITS = TableName("protected_rows", "people"), TableName("protected_rows", "visits")
KEPT = TableName("protected_kept", "kept")


METADATA = "spark.databricks.delta.commitInfo.userMetadata"
hashed = HASH_KEY.hashed
VERSIONS = [  # id, whether it is open, v, ssn, card
    (hashed("kanarie 1"), False, 1, hashed("kanarie 1"), "***"),
    (hashed("kanarie 1"), False, 1, hashed("kanarie new"), None),
    (hashed("kanarie 2"), False, 2, hashed("kanarie 2"), "***"),
    (hashed("kanarie 3"), False, 3, hashed("kanarie 3"), "***"),
    (hashed("kanarie 3"), True, 33, hashed("kanarie back"), "***"),
    (hashed("kanarie 4"), False, 4, hashed("kanarie 4"), "***"),
    (hashed("kanarie moved"), True, 4, None, "***"),
    (hashed("kanarie 5"), False, 5, hashed("kanarie 5"), "***"),
    (hashed("kanarie 5"), True, 5, hashed("kanarie last"), "***"),
    (hashed("kanarie 6"), True, 6, hashed("kanarie 6"), "***"),
    (hashed("kanarie 7"), True, 7, hashed("kanarie 7"), "***"),
]


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Give every file's bytes, and of one that is Parquet the buffers of its values, which hold each in one piece."""
    for file in files_below(folder):
        content = content_of(file)
        yield file, content
        if content[-4:] == b"PAR1":
            for batch in pq.ParquetFile(pa.BufferReader(content)).iter_batches():
                for buffer in filter(None, (each for column in batch.columns for each in column.buffers())):
                    yield file, buffer.to_pybytes()


def job(played: Played, name: str, *tables: TableName) -> Run:
    named = tuple(str(table) for table in tables)
    return warm_run(played.world.environment, played.spark, Job(name, "shop", tables=named, timeout=180))


def rows(played: Played, table: TableName) -> list[Any]:
    published = played.world.control.published(played.truths[1])
    version = published and published.version(table)
    assert version
    return read_version(played.spark, played.world.control.layout, version).collect()


def test_hashes_of_two_tables_join(played: Played) -> None:
    """Equal values have equal hashes, copied and streamed ones, of a key and of another column."""
    people = {row["id"] for row in rows(played, PEOPLE)}
    visits = [row["id"] for row in rows(played, VISITS)]

    assert [False, True] == sorted({visit in people for visit in visits})
    assert 4 == sum(visit in people for visit in visits)
    assert all(hashed.startswith(f"{HASH_KEY.id}:") for hashed in people)


def test_a_wrong_hash_is_found_named_and_repaired(played: Played) -> None:
    silver = f"delta.`{played.world.control.layout.silver(PEOPLE)}`"
    one = played.spark.sql(f"SELECT min(_key) FROM {silver}").collect()[0][0]
    played.spark.sql(f"UPDATE {silver} SET ssn = concat('k1:', repeat('0', 64)) WHERE _key = '{one}'")

    assert not verify(job(played, "verify", PEOPLE))["equal"]
    repaired: Any = repair(job(played, "repair", PEOPLE))
    [found] = repaired["tables"]
    assert [(one, ["ssn"])] == [(d["key"], list(d["columns"])) for d in found["details"]]
    list(sync_job(job(played, "sync")))
    again: Any = verify(job(played, "verify", PEOPLE, VISITS))
    assert again["equal"], again


def test_versions_of_protected_rows_are_all_there(played: Played) -> None:
    """By their hashed keys: each as it was protected, the ones that are over too."""
    history = played.spark.read.format("delta").load(played.world.control.layout.history(KEPT))
    found = history.select("id", "_open", "v", "ssn", "card").collect()

    assert sorted(map(str, VERSIONS)) == sorted(str(tuple(row)) for row in found)
    assert "note" not in history.columns


def test_what_is_wrong_with_deleted_rows_is_found_and_repaired(played: Played) -> None:
    """One that lives is said to be deleted, one that is deleted to live, and a third has another value."""
    silver = f"delta.`{played.world.control.layout.silver(KEPT)}`"
    wrong = {
        "_deleted = true": hashed("kanarie 3"),
        "_deleted = false": hashed("kanarie 2"),
        "v = 0": hashed("kanarie 6"),
    }
    for change, key in wrong.items():
        played.spark.sql(f"UPDATE {silver} SET {change} WHERE _key = '{key}'")

    assert repaired_keys(played, KEPT) == sorted(wrong.values())
    deleted = played.spark.sql(f"SELECT id FROM {silver} WHERE _deleted").collect()
    assert {hashed(text) for text in ("kanarie 1", "kanarie 2", "kanarie 4")} == {row["id"] for row in deleted}


def test_a_plain_value_in_a_deleted_row_is_for_a_copy(played: Played) -> None:
    """No proof looks at deleted rows: a repair that knew only what differs would leave it there."""
    silver = f"delta.`{played.world.control.layout.silver(KEPT)}`"
    played.spark.sql(f"UPDATE {silver} SET ssn = 'plain' WHERE _key = '{hashed('kanarie 2')}'")
    played.spark.sql(f"UPDATE {silver} SET v = 0 WHERE _key = '{hashed('kanarie 6')}'")

    with pytest.raises(ConfigurationError, match=r"protected in another way.*`tidemark copy` brings it back"):
        repair(job(played, "repair", KEPT))

    copy(job(played, "copy", KEPT))
    list(sync_job(job(played, "sync")))
    kept = played.spark.sql(f"SELECT id, ssn FROM {silver} WHERE _deleted").collect()
    assert (hashed("kanarie 2"), None) in [tuple(row) for row in kept]
    assert "plain" not in [row["ssn"] for row in kept]


def test_a_wrong_version_of_a_history_is_found_named_and_repaired(played: Played) -> None:
    history = f"delta.`{played.world.control.layout.history(KEPT)}`"
    with unnoticed(played, history):
        played.spark.sql(f"UPDATE {history} SET v = 0 WHERE _open AND _key = '{hashed('kanarie 5')}'")
        played.spark.sql(f"DELETE FROM {history} WHERE _open AND _key = '{hashed('kanarie 7')}'")

    found: Any = verify(job(played, "verify", KEPT))

    [table] = found["tables"]
    assert {
        (hashed("kanarie 5"), "in its history unequal", ("v",)),
        (hashed("kanarie 7"), "in its history missing (1 in the source, 0 in the lake)", ()),
    } == {(d["key"], d["kind"], tuple(d["columns"])) for d in table["details"]}
    assert [] == repaired_keys(played, KEPT), "silver was right"
    versions = played.spark.sql(f"SELECT v FROM {history} WHERE _open AND _key = '{hashed('kanarie 5')}'").collect()
    assert [5] == [row["v"] for row in versions]


def test_a_proof_that_stumbles_keeps_no_others_from_being_recorded(played: Played) -> None:
    """A file of a history is gone."""
    history = Path(played.world.control.layout.history(KEPT).removeprefix("file://"))
    files = [file for file in history.rglob("*.parquet") if "_open=true" in str(file)]
    for file in files:
        file.rename(file.with_suffix(".away"))

    try:
        with pytest.raises(Exception, match=r"No such file|not found|NotFound|FILE_NOT_EXIST"):
            verify(job(played, "verify", VISITS, KEPT))
    finally:
        for file in files:
            file.with_suffix(".away").rename(file)

    newest = max(proof.mark for proof in played.world.control.proofs())
    proofs = [(proof.table, proof.equal) for proof in played.world.control.proofs() if proof.mark == newest]
    assert [(str(VISITS), True)] == proofs


@contextmanager
def unnoticed(played: Played, table: str) -> Iterator[None]:
    """Let commits look like the table's last one; a history that anybody else has changed mends itself."""
    last = played.spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()[0]
    played.spark.conf.set(METADATA, last["userMetadata"])
    yield
    played.spark.conf.unset(METADATA)


def repaired_keys(played: Played, table: TableName) -> list[str]:
    """Repair a table, sync, and prove it; give the keys that were wrong in silver."""
    repaired: Any = repair(job(played, "repair", table))
    list(sync_job(job(played, "sync")))
    again: Any = verify(job(played, "verify", table))
    assert again["equal"], again
    [found] = repaired["tables"]
    return sorted(d["key"] for d in found["details"])


def test_no_plain_value_is_anywhere(played: Played) -> None:
    """In bronze, silver, statistics, marks, copies, repairs, state or logs. The last test: it looks at all.

    The stream runs on: what it writes and deletes meanwhile is what it has written before.
    """
    folder = played.world.folder
    tables = {spec.table for case in chosen_cases() if case.protect for spec in played.world.tables(case)}
    looked, values = 0, 0
    for part in ("the lake", "state"):
        for file, content in contents(folder / part):
            assert CANARY not in content, file
            assert HASH_KEY.secret.hex().encode() not in content or file.name == "hash.key", file
            looked, values = looked + 1, values + content.count(f"{HASH_KEY.id}:".encode())

    assert (folder / "state" / "flink" / "shop" / "hash.key").stat().st_mode & 0o777 == 0o600
    assert len(tables) >= 10
    assert looked > 100
    assert values > 100, "hashes are there: what was looked at is what was written"
    assert all((folder / "the lake" / "silver" / "shop" / table.path).exists() for table in tables)
