"""What the jobs keep in S3 themselves: claims that one can make, control tables that many may append to."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.integration.proxy import behind
from tests.integration.s3 import BUCKET, S3Server
from tidemark_contract.errors import LeaseTaken
from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.control import Control
from tidemark_jobs.leases import lease
from tidemark_jobs.tables import ProofRow

WRITERS = 4


@pytest.fixture
def layout(moto: S3Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A lake of its own for each test: stores are kept by their URL."""
    _reach(moto, monkeypatch)
    return Layout(f"s3://{BUCKET}/{request.node.name}", "shop")


def _reach(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def test_one_of_many_gets_a_lease(layout: Layout) -> None:
    barrier, done = threading.Barrier(WRITERS), threading.Barrier(WRITERS)

    def hold(_: int) -> bool:
        barrier.wait(30)
        try:
            with lease(layout, "sync"):
                done.wait(30)
                return True
        except LeaseTaken:
            done.wait(30)
            return False

    with ThreadPoolExecutor(WRITERS) as pool:
        assert [False, False, False, True] == sorted(pool.map(hold, range(WRITERS)))


def test_an_object_whose_answer_was_lost_is_ours(
    layout: Layout, moto: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client asks again by itself, and meets its own object."""
    with behind(moto, lose="claim") as losing:
        _reach(losing, monkeypatch)
        assert storage.create(layout.claims, "claim", b"ours")
        assert not storage.create(layout.claims, "claim", b"another's")
        assert b"ours" == storage.read(layout.claims, "claim")


def test_proofs_of_many_at_once_are_all_kept(layout: Layout) -> None:
    """Each append is one conditional PUT into the table's log; who loses looks again."""
    now = datetime.now(UTC)

    def prove(mark: int) -> None:
        proof = ProofRow("shop", "public.orders", mark, mark, now, True, 1, 0, json.dumps([]), now)
        Control(layout).add_proofs([proof])

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(prove, range(12)))

    assert list(range(12)) == [proof.mark for proof in Control(layout).proofs()]


def test_a_bucket_that_keeps_what_is_deleted_is_known(moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    _reach(moto, monkeypatch)
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    moto.make_bucket("versioned")
    assert 200 == moto.request("PUT", "/versioned?versioning", enabled)[0]
    for lake, expected in ((f"s3://{BUCKET}/plain", False), ("s3://versioned/lake", True)):
        storage.create(lake, "object", b"content")
        assert expected == storage.is_versioned(lake)
