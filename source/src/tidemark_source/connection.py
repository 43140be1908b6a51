"""Connections to the source, and what their errors mean to an operator."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tidemark_contract.errors import SourceRefused, SourceUnavailable
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE
from tidemark_contract.protection import HashKey
from tidemark_source.patience import PatientConnection
from tidemark_source.protection import startup_options

OLDEST = 15
NEWEST = 18  # the newest that the tests run on

_log = logging.getLogger(__name__)

# Everything that decides how a value looks, which rows are seen, or when the server ends a session by itself; set
# after connecting, because ALTER ROLE … SET and ALTER DATABASE … SET win over the server's defaults.
# lc_monetary is left as the database has it: the stream is decoded under it too.
# A server that has lost us, on the way or behind a proxy, lets go of our locks within minutes: its own defaults are
# hours and never.
_PINS = """
SET ROLE NONE;
SET client_encoding = 'UTF8';
SET search_path = '';
SET DateStyle = 'ISO, MDY';
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 3;
SET bytea_output = 'hex';
SET xmlbinary = 'base64';
SET xmloption = 'content';
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET transform_null_equals = off;
SET array_nulls = on;
SET row_security = off;
SET default_transaction_isolation = 'read committed';
SET default_transaction_read_only = off;
SET default_transaction_deferrable = off;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = '5min';
SET idle_session_timeout = 0;
SET tcp_keepalives_idle = 30;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '60s';
"""

# libpq tells the SQLSTATE of a refused connection to nobody, so these are known by their English text. A server that
# starts up, shuts down or recovers is asked by PQping, in any language.
_FULL = re.compile(r"too many (clients|connections)|connection slots are reserved|exceeded .*connection", re.IGNORECASE)
_SAID_NO = re.compile(r"FATAL|password|SSL|certificate|GSS|root\.crt|authentication", re.IGNORECASE)
_TRANSIENT = (
    psycopg.InterfaceError,
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.TooManyConnections,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.OutOfMemory,
    errors.DiskFull,
    errors.ObjectInUse,
    errors.IdleInTransactionSessionTimeout,
)

# What init makes or grants is not there.
_NOT_MADE = (errors.UndefinedTable, errors.InvalidSchemaName, errors.InsufficientPrivilege)
_OURS = re.compile(rf"\b({MARK_SCHEMA}|{MARK_TABLE})\b")


def connect(url: str, *, purpose: str, autocommit: bool = True, key: HashKey | None = None) -> psycopg.Connection[Any]:
    """Open a connection whose values look the same whatever the role's or the database's settings are.

    `purpose` is what `pg_stat_activity` shows behind "tidemark"; `key` is for statements that read hashed columns.
    Raises SourceUnavailable when another try may succeed, SourceRefused when a person has to change something;
    neither names the password.
    """
    where = address(url)
    try:
        connection = PatientConnection.connect(_conninfo(url, purpose, key), autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError as error:
        raise _not_connected(url, where, error) from error
    try:
        with speaking_to(where):
            _check_version(connection, where)
            connection.execute("SET statement_timeout = 0")  # alone: the role's own may be too short for the rest
            connection.execute(_PINS)
            if connection.info.server_version >= 170000:
                connection.execute("SET transaction_timeout = 0")
            connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


def address(url: str) -> str:
    """Give `host:port/database` of a libpq URL, to name a source in messages; never user or password."""
    parts = _parts(url)
    return f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user')}"


def where_of(connection: psycopg.Connection[Any]) -> str:
    """Give `host:port/database` of an open connection, to name a source in messages."""
    with speaking_to("the source"):
        return f"{connection.info.host}:{connection.info.port}/{connection.info.dbname}"


@contextmanager
def speaking_to(where: str) -> Iterator[None]:
    """Turn psycopg's errors into SourceUnavailable or SourceRefused that name the place."""
    try:
        yield
    except psycopg.Error as error:
        kind = SourceUnavailable if isinstance(error, _TRANSIENT) or _connection_lost(error) else SourceRefused
        raise kind(f"{where}: {_said(error)}") from error


def _conninfo(url: str, purpose: str, key: HashKey | None = None) -> str:
    chosen = {
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    parts = _parts(url)
    if key:
        parts["options"] = f"{parts.get('options', '')} {startup_options(key)}"
    return make_conninfo(url, **{**chosen, **parts, "application_name": f"tidemark {purpose}"})


def _parts(url: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq quotes what it could not read, which may hold the password.
        raise SourceRefused(
            "the source URL is not one that libpq reads; write postgresql://role:password@host:port/database"
        ) from None


def _not_connected(url: str, where: str, error: psycopg.OperationalError) -> SourceUnavailable | SourceRefused:
    text = _said(error)
    if _FULL.search(text) or not _SAID_NO.search(text) or _not_up(url):
        return SourceUnavailable(f"{where}: {text}")
    return SourceRefused(f"{where}: {text}")


def _not_up(url: str) -> bool:
    return pq.PGconn.ping(_conninfo(url, "ping").encode()) in (pq.Ping.REJECT, pq.Ping.NO_RESPONSE)


def _connection_lost(error: psycopg.Error) -> bool:
    if error.sqlstate is None:  # libpq's own words
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(("08", "57P", "53"))


def _said(error: psycopg.Error) -> str:
    """Give the server's words on one line, without the row that its DETAIL may quote."""
    text = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
    return f"{text}: run `tidemark init`" if isinstance(error, _NOT_MADE) and _OURS.search(text) else text


def _check_version(connection: psycopg.Connection[Any], where: str) -> None:
    major = connection.info.server_version // 10000
    if major < OLDEST:
        raise SourceRefused(
            f"{where}: PostgreSQL {major} is too old: tidemark needs {OLDEST} to {NEWEST}; upgrade the server"
        )
    if major > NEWEST:
        _log.warning("%s: PostgreSQL %s is newer than any that tidemark is tested on (%s)", where, major, NEWEST)
