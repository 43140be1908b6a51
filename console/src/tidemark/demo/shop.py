"""Make the shop's database: roles, tables, TPC-H rows."""

import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tidemark.demo.schema import ACCOUNTS, OPENING_BALANCE, TABLES
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.errors import ConfigurationError

DATABASE = "shop"
OWNER = "shop_owner"
CAPTURE = "tidemark"


@dataclass(frozen=True)
class Shop:
    """The URLs of the shop's database: as the owner of its tables, and as the role that captures changes."""

    owner_url: str
    capture_url: str


def make_shop(server: EmbeddedPostgres, scale: float, folder: Path) -> Shop:
    """Create roles, database, tables and rows on a server that has none of them; `folder` is for the rows' files."""
    shop = _create_database(server)
    files = generate(scale, folder)
    with psycopg.connect(shop.owner_url) as connection:
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
        for table, file in files.items():
            _copy(connection, table, file)
        _open_accounts(connection)
    with psycopg.connect(shop.owner_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return shop


def generate(scale: float, folder: Path) -> dict[str, Path]:
    """Write the TPC-H tables as CSV files; scale 1 is 1 GB."""
    folder.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name("tpchgen-cli")
    command = [str(program), "csv", "--scale-factor", str(scale), "--output-dir", str(folder), "--overwrite", "--quiet"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ConfigurationError(f"{program} is not installed: run `make setup`") from error
    if done.returncode != 0:
        raise ConfigurationError(f"tpchgen-cli cannot make TPC-H at scale {scale}: {done.stderr.strip()}")
    return {file.stem: file for file in sorted(folder.glob("*.csv"))}


def _create_database(server: EmbeddedPostgres) -> Shop:
    passwords = {role: secrets.token_urlsafe(18) for role in (OWNER, CAPTURE)}
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        for role, rights in ((OWNER, "LOGIN"), (CAPTURE, "LOGIN REPLICATION")):
            statement = sql.SQL("CREATE ROLE {} " + rights + " PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(passwords[role])))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
        )
    return Shop(server.url(OWNER, DATABASE, passwords[OWNER]), server.url(CAPTURE, DATABASE, passwords[CAPTURE]))


def _copy(connection: psycopg.Connection[tuple[object, ...]], table: str, file: Path) -> None:
    # At small scales the generator gives some (part, supplier) pairs twice.
    staged, names = sql.Identifier(f"staged_{table}"), sql.Identifier(table)
    connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {}) ON COMMIT DROP").format(staged, names))
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER)").format(staged if table == "partsupp" else names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy, file.open("rb") as rows:
        while block := rows.read(1 << 20):
            copy.write(block)
    connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT DO NOTHING").format(names, staged))


def _open_accounts(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.execute("ALTER TABLE account ALTER statement SET STORAGE EXTERNAL")
    connection.execute(
        "INSERT INTO account (id, balance, statement)"
        " SELECT id, %s, repeat(md5(id::text), 100) FROM generate_series(1, %s) AS id",
        (OPENING_BALANCE, ACCOUNTS),
    )
