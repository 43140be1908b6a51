"""What the jobs keep in S3 themselves: claims that one can make, control tables that many may append to."""

import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.proxy import HEALTHY, Fault, FaultyS3, Rule
from tests.integration.s3 import BUCKET, S3Server
from tidemark_contract.errors import LakeUnavailable, LeaseTaken
from tidemark_contract.layout import Layout
from tidemark_jobs import deltalog, storage
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.control import Control
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.landing import Landing, open_bronze
from tidemark_jobs.leases import lease
from tidemark_jobs.tables import ProofRow

WRITERS = 4
UNTOLD = pytest.mark.parametrize("fault", [Fault.LOST, Fault.MISTOLD])


@pytest.fixture
def layout(moto: S3Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A lake of its own for each test: stores are kept by their URL."""
    return _lake(moto, request, monkeypatch)


@pytest.fixture
def far(faulty_s3: FaultyS3, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """One that is reached through the proxy."""
    faulty_s3.follow(HEALTHY)
    yield _lake(faulty_s3, request, monkeypatch)
    faulty_s3.follow(HEALTHY)


def _lake(s3: S3Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layout:
    _reach(s3, monkeypatch)
    return Layout(f"s3://{BUCKET}/{request.node.originalname}-{uuid.uuid4()}", "shop")


def _reach(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def prove(layout: Layout, mark: int) -> None:
    now = datetime.now(UTC)
    Control(layout).add_proofs([ProofRow("shop", "public.orders", mark, mark, now, True, 1, 0, json.dumps([]), now)])


def test_one_of_many_gets_a_lease(layout: Layout) -> None:
    barrier, done = threading.Barrier(WRITERS), threading.Barrier(WRITERS)

    def hold(_: int) -> bool:
        barrier.wait(300)
        try:
            with lease(layout, "sync"):
                done.wait(300)
                return True
        except LeaseTaken:
            done.wait(300)
            return False

    with ThreadPoolExecutor(WRITERS) as pool:
        assert [False, False, False, True] == sorted(pool.map(hold, range(WRITERS)))


@UNTOLD
def test_an_object_whose_answer_was_lost_is_ours(far: Layout, faulty_s3: FaultyS3, fault: Fault) -> None:
    """The request is made again, and meets its own object."""
    faulty_s3.follow(Rule(fault, ("PUT",), "claim$"))

    assert storage.create(far.claims, "claim", b"ours")
    assert not storage.create(far.claims, "claim", b"another's")
    assert b"ours" == storage.read(far.claims, "claim")


@UNTOLD
def test_a_proof_whose_answer_was_lost_is_kept_once(far: Layout, faulty_s3: FaultyS3, fault: Fault) -> None:
    for mark in range(3):  # the first makes the table
        faulty_s3.follow(Rule(fault, ("PUT",), "proofs/_delta_log/"))
        prove(far, mark)

    assert list(range(3)) == [proof.mark for proof in Control(far).proofs()]


@UNTOLD
def test_a_compaction_whose_answer_was_lost_repeats_no_proof(
    far: Layout, faulty_s3: FaultyS3, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deltalog, "COMPACT_EVERY", 4)
    for mark in range(4):
        prove(far, mark)
    faulty_s3.follow(Rule(fault, ("PUT",), "proofs/_delta_log/0*5.json"))  # after the entry of the proof
    prove(far, 4)

    assert 5 == open_table(far.control("proofs")).version()
    assert list(range(5)) == [proof.mark for proof in Control(far).proofs()]


@UNTOLD
def test_a_changelog_whose_making_was_not_answered_is_there(far: Layout, faulty_s3: FaultyS3, fault: Fault) -> None:
    faulty_s3.follow(Rule(fault, ("PUT",), "_delta_log/"))

    assert 0 == open_bronze(far).version()
    assert ["_delta_log/00000000000000000000.json"] == [made.name for made in storage.list_objects(far.bronze)]


def test_one_of_many_makes_the_changelog(layout: Layout) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        opened = pool.map(lambda _: open_bronze(layout).metadata().id, range(WRITERS))

    assert 1 == len(set(opened))


@UNTOLD
def test_files_whose_registration_was_not_answered_are_new_to_who_registered_them(
    far: Layout, faulty_s3: FaultyS3, fault: Fault
) -> None:
    """A sync that waits for a mark looks for it when something new is in bronze, and only then."""
    landing, content = Landing(far), pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([{"commit_lsn": 1}], CHANGES), content)
    open_bronze(far)
    for counter in range(2):
        storage.create(far.landing, f"000001/part-0a-0-{counter}", content.getvalue().to_pybytes())
        faulty_s3.follow(Rule(fault, ("PUT",), "_delta_log/"))
        assert (1, 0) == (landing.register(), landing.register())

    assert 2 == len(open_bronze(far).file_uris())


def test_a_renewal_of_a_lease_that_was_not_answered_is_its_holders(
    far: Layout, faulty_s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark_contract.s3.PATIENCE_S", 2)
    with lease(far, "sync") as held:
        faulty_s3.follow(Rule(Fault.LOST, ("PUT",), "leases", then=Fault.RESET))
        with pytest.raises(LakeUnavailable, match=far.claims):
            held.renew()
        faulty_s3.follow(HEALTHY)
        held.renew()
        held.check()
        with pytest.raises(LeaseTaken), lease(far, "sync"):
            pass


def test_proofs_of_many_at_once_are_all_kept(layout: Layout) -> None:
    """Each append is one conditional PUT into the table's log; who loses looks again."""
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda mark: prove(layout, mark), range(12)))

    assert list(range(12)) == [proof.mark for proof in Control(layout).proofs()]


def test_a_bucket_that_keeps_what_is_deleted_is_known(moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    _reach(moto, monkeypatch)
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    moto.make_bucket("versioned")
    assert 200 == moto.request("PUT", "/versioned?versioning", enabled)[0]
    for lake, expected in ((f"s3://{BUCKET}/plain", False), ("s3://versioned/lake", True)):
        storage.create(lake, "object", b"content")
        assert expected == storage.is_versioned(lake)
