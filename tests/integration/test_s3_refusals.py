"""A lake on S3 that cannot be used is told in one message, before anything is begun."""

import subprocess
from pathlib import Path

import pytest

from tests.integration.mirror import Mirror
from tests.integration.proxy import behind
from tests.integration.s3 import BUCKET, S3Server
from tidemark.local.home import home

pytestmark = pytest.mark.drawn(6)

NOBODY = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"
TABLE = """
table: public.orders
owner: sales-data
description: One row per order.
key: [id]
columns:
  - {name: id, type: bigint, nullable: false}
"""
COMMANDS = [("start", "--detach"), ("copy",), ("sync",), ("verify",), ("export", "public.orders")]


@pytest.fixture
def place(moto: S3Server, tmp_path: Path) -> Mirror:
    """Settings and specs; the source is never asked."""
    (tmp_path / "specs" / "shop").mkdir(parents=True)
    (tmp_path / "specs" / "shop" / "source.yaml").write_text("source: shop\n")
    (tmp_path / "specs" / "shop" / "public.orders.yaml").write_text(TABLE)
    return Mirror(NOBODY, moto, tmp_path, tmp_path.name.replace("_", "-"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_bucket_that_does_not_exist_stops_everything_before_it_begins(
    place: Mirror, command: tuple[str, ...]
) -> None:
    ended = place.run(*command, TIDEMARK_LAKE="s3://no-such-bucket/mirror")

    assert (78, "") == (ended.code, ended.out)
    assert ["the bucket does not exist: create it, or correct TIDEMARK_LAKE"] == _cures(ended.err)
    assert not (place.folder / "state" / "logs").exists()


def test_a_bucket_that_may_not_be_written_is_told_with_what_is_needed(place: Mirror, moto: S3Server) -> None:
    moto.make_bucket("readable")
    moto.forbid_writing("readable")

    ended = place.run("sync", TIDEMARK_LAKE="s3://readable/mirror")

    assert 78 == ended.code
    [cure] = _cures(ended.err)
    assert "PutObject" in cure


def test_a_server_that_is_away_may_be_back_later(place: Mirror) -> None:
    ended = place.run("sync", AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert 75 == ended.code
    assert "does not answer" in ended.err


def test_a_server_that_ignores_conditions_is_refused(place: Mirror, moto: S3Server) -> None:
    """On such a server both of two syncs would win, and the changes of one be lost."""
    with behind(moto, forget="if-none-match") as forgetful:
        ended = place.run("sync", AWS_ENDPOINT_URL=forgetful.endpoint)

    assert 78 == ended.code
    assert "ignores If-None-Match" in ended.err


def test_a_check_leaves_nothing_in_the_bucket(place: Mirror) -> None:
    ended = place.run("doctor", TIDEMARK_LAKE=f"s3://{BUCKET}/only-looked-at")

    assert "✓ lake" in ended.out
    assert b"<Key>" not in place.s3.listing(BUCKET, "only-looked-at")


@pytest.mark.parametrize("command", [("doctor",), ("sync",), ("start", "--detach")], ids=lambda words: words[0])
def test_jars_that_are_missing_are_told_with_their_cure(place: Mirror, command: tuple[str, ...]) -> None:
    bare = _home_without_s3(place.folder)

    ended = place.run(*command, TIDEMARK_HOME=str(bare))

    assert 78 == ended.code
    assert "run `make setup-s3`" in ended.out + ended.err


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("spark", ("-m", "tidemark_jobs", "sync")),
        ("flink", ("-m", "tidemark_streaming", "start", "--detach")),
    ],
)
def test_jobs_and_streams_that_no_console_starts_ask_for_their_jars_too(
    place: Mirror, environment: str, words: tuple[str, ...]
) -> None:
    """Airflow starts them, or a supervisor."""
    python = home() / "venv" / environment / "bin" / "python"
    bare = {**place.environment, "TIDEMARK_HOME": str(_home_without_s3(place.folder))}

    ended = subprocess.run(
        [str(python), *words, "--source", "shop"], env=bare, capture_output=True, text=True, check=False, timeout=300
    )

    assert 78 == ended.returncode, ended.stderr
    assert "run `make setup-s3`" in ended.stderr


def _home_without_s3(folder: Path) -> Path:
    bare = folder / "home"
    (bare / "jars").mkdir(parents=True)
    (bare / "venv").symlink_to(home() / "venv")
    for name in ("spark", "flink"):
        (bare / "jars" / name).symlink_to(home() / "jars" / name)
    return bare


def _cures(err: str) -> list[str]:
    """What follows the place in the lines that begin with it."""
    return [line.split(": ", 1)[1] for line in err.splitlines() if "s3://" in line]
