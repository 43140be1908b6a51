"""The stream between a source and an S3 that are reached badly: what was committed lands, once and in order."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.mirror import Mirror
from tests.integration.proxy import HEALTHY, Fault, FaultyS3, Rule
from tests.integration.s3 import S3Server
from tests.network import Network, network_to
from tests.variants import any_of
from tidemark.local.home import home
from tidemark.local.postgres import EmbeddedPostgres

pytestmark = pytest.mark.slow
START = ("start", "--detach", "--checkpoint-interval", "1s", "--json")
PATIENCE_S = 240.0


@dataclass(frozen=True)
class BadlyReached(Mirror):
    """Its processes reach the source through `to_source`, and `s3` through `to_s3` and `faulty`; the test does not."""

    to_source: Network = field(kw_only=True)
    to_s3: Network = field(kw_only=True)
    faulty: FaultyS3 = field(kw_only=True)
    written: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        ours = super().environment
        source = ours["TIDEMARK_SOURCE_SHOP_URL"].rpartition(":")[0]
        return {
            **ours,
            "TIDEMARK_SOURCE_SHOP_URL": f"{source}:{self.to_source.port}/shop",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.to_s3.port}",
        }

    def commit(self, size: int = 10) -> None:
        """Insert a row whose `owner` is of this size, in a transaction of its own."""
        number = 10_000 + len(self.written)
        self.written.append(f"{number} ".ljust(size, "x"))
        self.write(f"INSERT INTO account VALUES ({number}, '{self.written[-1]}', 1, NULL)")

    def landed(self) -> list[dict[str, Any]]:
        """Give what was inserted into `account`, file by file in the order of their counters."""
        files = {int(name.rpartition("-")[2]): content for name, content in self.objects("bronze/shop/_landing/")}
        tables = [pq.read_table(io.BytesIO(files[number])) for number in sorted(files)]
        rows = pa.concat_tables(tables).to_pylist() if tables else []
        return [row for row in rows if (row["op"], row["table_name"]) == ("c", "account")]

    def wait(self) -> None:
        """Wait until all that was written has landed."""
        deadline = time.monotonic() + PATIENCE_S
        while len(landed := self.landed()) < len(self.written):
            assert time.monotonic() < deadline, (len(landed), len(self.written), self.run("status", "--json"))
            time.sleep(0.5)

    def runs_again(self) -> dict[str, Any]:
        """Wait until the stream runs: what was reset last may have it begin again by itself.

        `down` is also one that is too busy to answer for ten seconds: nobody has killed it.
        """
        deadline = time.monotonic() + PATIENCE_S
        while (stream := json.loads(self.must("status", "--json"))["sources"][0]["stream"])["state"] != "running":
            assert stream["state"] in ("restarting", "down"), stream
            assert time.monotonic() < deadline, stream
            time.sleep(0.5)
        return dict(stream)


@pytest.fixture(scope="module")
def mirror(moto: S3Server, faulty_s3: FaultyS3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadlyReached]:
    folder = tmp_path_factory.mktemp("stream")
    server = EmbeddedPostgres(home() / "postgres" / "17", folder / "postgres")
    faulty_s3.follow(HEALTHY)
    behind = int(urlsplit(faulty_s3.endpoint).port or 0)
    with server, network_to(server.port) as to_source, network_to(behind) as to_s3:
        made = BadlyReached(
            server.superuser_url, moto, folder, "stream", to_source=to_source, to_s3=to_s3, faulty=faulty_s3
        )
        made.make_source()
        made.must("discover", "--name", "shop")
        made.must("init")
        made.must(*START)
        yield made
        made.run("stop")
    server.remove()


def check(mirror: BadlyReached) -> None:
    landed = mirror.landed()
    positions = [(row["commit_lsn"], row["ordinal"]) for row in landed]
    assert mirror.written == [dict(row["after"])["owner"] for row in landed]
    assert sorted(set(positions)) == positions
    assert 1 == mirror.runs_again()["incarnation"]


@any_of("every", [2, 3, 5])
@any_of("fault", list(Fault))
def test_requests_of_the_landing_fail_or_are_not_answered(mirror: BadlyReached, fault: Fault, every: int) -> None:
    """Of a file's upload each may be struck: its beginning, its parts, its completion."""
    rule = Rule(fault, path="_landing", every=every)
    mirror.faulty.follow(rule)
    while sum(rule.hits(number + 1) for number in range(len(mirror.faulty.counted()))) <= 3:
        mirror.commit()
        time.sleep(1)
    mirror.wait()
    mirror.faulty.follow(HEALTHY)

    check(mirror)


def slow(network: Network) -> None:
    network.latency_s = 0.3


def narrow(network: Network) -> None:
    network.bytes_per_s = 1000


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a socket of ours drop packets")
WAYS: list[Any] = [
    slow,
    narrow,
    Network.reset,
    Network.swallow,
    pytest.param(Network.vanish, marks=on_linux),
    pytest.param(Network.forget, marks=on_linux),
]


@any_of("way", WAYS)
@any_of("to", ["to_source", "to_s3"])
def test_the_network_is_bad(mirror: BadlyReached, to: str, way: Callable[[Network], None]) -> None:
    """While rows are committed. What befalls a connection stays with it; another one may be opened after a while."""
    network: Network = getattr(mirror, to)
    mirror.commit(2000)
    mirror.wait()
    way(network)
    for size in (10, 10_000, 10):
        mirror.commit(size)
        time.sleep(1)
    if way not in (slow, narrow):
        network.heal()
    mirror.wait()
    network.heal()
    network.reset()

    check(mirror)


def test_in_the_end_the_lake_is_the_source(mirror: BadlyReached) -> None:
    mirror.must("copy")
    mirror.commit()
    proof = json.loads(mirror.must("verify", "--json"))

    assert {True} == {table["equal"] for table in proof["tables"]}
