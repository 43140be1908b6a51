"""A source database and its mirror in a lake on S3, driven through the console as a person drives it."""

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

import obstore
import psycopg
import pyarrow.parquet as pq
from obstore.store import S3Store

from tests.integration.s3 import BUCKET, KEYS, S3Server
from tidemark.local import processes

if TYPE_CHECKING:
    from obstore.store import S3Config

PASSWORD = "p@ss/w:rd %41"
PATIENCE_S = 240
TABLES = """
CREATE TABLE account (id integer PRIMARY KEY, owner text, balance numeric, opened timestamptz);
CREATE TABLE audit (who text, at timestamp);
ALTER TABLE audit REPLICA IDENTITY FULL;
INSERT INTO account SELECT g, 'owner ' || g, g / 7.0, '2026-01-01' FROM generate_series(1, 300) g;
INSERT INTO audit SELECT 'twin', NULL FROM generate_series(1, 5);
"""
WRITES = """
UPDATE account SET balance = 'NaN', owner = E'tab\\there \\\\N' WHERE id % 50 = 0;
UPDATE account SET id = 1000, opened = 'infinity' WHERE id = 1;
INSERT INTO audit VALUES ('€', '2026-02-03 04:05:06.789'), ('twin', NULL);
DELETE FROM audit WHERE ctid = (SELECT min(ctid) FROM audit);
"""
LATER = (
    "INSERT INTO account SELECT g, 'late', 0.1 + g, NULL FROM generate_series(2000, 2100) g",
    "DELETE FROM account WHERE id BETWEEN 20 AND 29; UPDATE account SET owner = NULL WHERE id > 2050",
)


@dataclass(frozen=True)
class Mirror:
    """`superuser` is a URL of the source's server; the lake is s3://lake/<prefix>."""

    superuser: str
    s3: S3Server
    folder: Path
    prefix: str = "team/mirror"

    @property
    def lake(self) -> str:
        return f"s3://{BUCKET}/{self.prefix}"

    def url(self, role: str) -> str:
        place = urlsplit(self.superuser).netloc.rpartition("@")[2]
        return f"postgresql://{role}:{quote(PASSWORD, safe='')}@{place}/shop"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.s3.environment,
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_LAKE": self.lake,
            "TIDEMARK_STATE": str(self.folder / "state"),
            "TIDEMARK_SOURCE_SHOP_URL": self.url("capture"),
            "TIDEMARK_SOURCE_SHOP_ADMIN_URL": self.url("owner"),
        }

    def make_source(self) -> None:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            for role in ("owner LOGIN", "capture LOGIN REPLICATION"):
                connection.execute(f"CREATE ROLE {role} PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE shop OWNER owner")
        self.write(TABLES)

    def write(self, statements: str) -> None:
        with psycopg.connect(self.url("owner")) as connection:
            connection.execute(statements)

    def copy_text(self, table: str) -> list[str]:
        """What PostgreSQL itself exports; sorted, for tables have no order."""
        with (
            psycopg.connect(self.url("owner"), options="-c timezone=UTC") as connection,
            connection.cursor().copy(f"COPY {table} TO STDOUT") as copy,
        ):
            return sorted(b"".join(copy).decode().splitlines())

    def saying(self, text: str) -> list[str]:
        """Name every object of the lake that says a text, in its octets or, of a Parquet file, in its rows."""
        return [name for name, content in self.objects() if text in _told(content)]

    def objects(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Give the lake's objects whose names begin so."""
        options = {"AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false", "AWS_ENDPOINT_URL": self.s3.endpoint, **KEYS}
        store = S3Store.from_url(self.lake, config=cast("S3Config", options), client_options={"allow_http": True})
        for batch in obstore.list(store):
            for name in (str(meta["path"]) for meta in batch):
                if name.startswith(prefix):
                    yield name, bytes(obstore.get(store, name).bytes())

    def kill_stream(self) -> None:
        """Kill -9 both processes of its Flink: they are known by their folder for temporary files."""
        assert processes.kill(f"-Djava.io.tmpdir={self.folder / 'state' / 'flink' / 'shop' / 'tmp'}") == 2

    def begin(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        argv = [str(Path(sys.executable).with_name("tidemark")), *words]
        return subprocess.Popen(
            argv, env=self.environment | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str, **environment: str) -> "Ended":
        return end(self.begin(*words, **environment))

    def must(self, *words: str) -> str:
        ended = self.run(*words)
        assert ended.code == 0, f"tidemark {' '.join(words)}: {ended}"
        return ended.out


def _told(content: bytes) -> str:
    parquet = content.startswith(b"PAR1") and content.endswith(b"PAR1")
    rows = repr(pq.read_table(io.BytesIO(content)).to_pylist()) if parquet else ""
    return content.decode(errors="replace") + rows


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def end(process: "subprocess.Popen[str]", patience_s: float = PATIENCE_S) -> Ended:
    """Wait for a command, and not for ever."""
    try:
        out, err = process.communicate(timeout=patience_s)
    finally:
        process.kill()
    return Ended(process.returncode, out, err)
