"""The whole on s3://: Flink lands there, Spark, delta-rs and the console read and write there, PostgreSQL agrees."""

import json

import pytest

from tests.integration.mirror import LATER, WRITES, Mirror, end
from tests.integration.places import PLACES
from tests.walking import files_below

CANARY = "a canary on S3"
START = ("start", "--detach", "--checkpoint-interval", "1s", "--json")


@pytest.mark.slow
@pytest.mark.parametrize("mirror", PLACES, indirect=True, scope="module")
def test_a_mirror_on_s3_is_proven_equal(mirror: Mirror) -> None:
    mirror.must("discover", "--name", "shop")
    mirror.must("init")
    assert "running" == json.loads(mirror.must(*START))["state"]
    mirror.must("copy")
    mirror.write(WRITES)

    proof = json.loads(mirror.must("verify", "--json"))

    assert {"public.account": (True, 300), "public.audit": (True, 6)} == {
        table["table"]: (table["equal"], table["rows"]) for table in proof["tables"]
    }
    assert f"verified through mark {proof['mark']}" in mirror.must("status")
    assert not [file for file in files_below(mirror.folder) if file.suffix == ".parquet"], "the lake is on S3 alone"


@pytest.mark.slow
@pytest.mark.drawn(1)
@pytest.mark.parametrize("mirror", PLACES[-1:], indirect=True, scope="module")
def test_a_killed_stream_and_two_syncs_at_once_lose_nothing(mirror: Mirror) -> None:
    """It goes on from where the test before has left the mirror."""
    mirror.write(LATER[0])
    mirror.kill_stream()
    mirror.write(LATER[1])
    assert 1 == json.loads(mirror.must(*START))["incarnation"]  # resumed, not begun anew

    two = [mirror.begin("sync") for _ in range(2)]
    ended = [end(process) for process in two]

    assert 0 in [one.code for one in ended], ended
    assert {0, 75} >= {one.code for one in ended}, ended
    assert mirror.copy_text("account") == sorted(mirror.must("export", "public.account").splitlines())


@pytest.mark.slow
@pytest.mark.drawn(1)
@pytest.mark.parametrize("mirror", PLACES[-1:], indirect=True, scope="module")
def test_an_erased_key_is_in_no_object_of_the_bucket(mirror: Mirror) -> None:
    """In the same mirror; it was streamed, changed and deleted."""
    mirror.write(f"INSERT INTO account VALUES (7777, '{CANARY}', 1, NULL)")
    mirror.must("sync")
    mirror.write("UPDATE account SET balance = 2 WHERE id = 7777")
    mirror.must("sync")
    mirror.write("DELETE FROM account WHERE id = 7777")
    file = mirror.folder / "subject.yaml"
    file.write_text("- {table: public.account, keys: [7777]}")
    assert mirror.saying(CANARY)

    erased = json.loads(mirror.must("erase", "--subject", str(file), "--json"))

    assert [] == mirror.saying(CANARY)
    assert {} == erased["left"]
    assert 3 == erased["removed"]["bronze"]
    assert not erased["versioned"]
    assert json.loads(mirror.must("verify", "--json"))["equal"]
