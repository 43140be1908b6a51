"""A database of its own for each test, and questions to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from tidemark.local.postgres import EmbeddedPostgres

LOCAL = Path(__file__).parents[2] / ".tidemark"
PASSWORD = "se%cret/1"


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def fetch(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


@dataclass(frozen=True)
class Place:
    """A database of its own with two tables, and empty folders for specs, lake and state."""

    server: EmbeddedPostgres
    database: str
    folder: Path

    def url(self, role: str) -> str:
        return self.server.url(role, self.database, PASSWORD)

    @property
    def superuser_url(self) -> str:
        return make_conninfo(self.server.superuser_url, dbname=self.database)

    def environment(self) -> dict[str, str]:
        return {
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_LAKE": (self.folder / "lake").as_uri(),
            "TIDEMARK_STATE": str(self.folder / "state"),
            "TIDEMARK_SOURCE_SHOP_URL": self.url("capture"),
            "TIDEMARK_SOURCE_SHOP_ADMIN_URL": self.url("owner"),
        }

    def untouched(self) -> bool:
        """Tell whether nothing of tidemark's is in the database."""
        query = (
            "SELECT (SELECT count(*) FROM pg_publication)"
            " + (SELECT count(*) FROM pg_namespace WHERE nspname = 'tidemark')"
            " + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())"
        )
        return bool(fetch(self.superuser_url, query) == 0)
