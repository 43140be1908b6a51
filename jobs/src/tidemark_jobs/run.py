"""What one run of a job works with."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import Connection
from pyspark.sql import SparkSession

from tidemark_contract.argv import Job
from tidemark_contract.layout import Layout
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.settings import Settings
from tidemark_contract.specs import SourceSpec, TableSpec, load_source
from tidemark_jobs.control import Control
from tidemark_jobs.session import build_session
from tidemark_source.connection import connect
from tidemark_source.pages import page_count
from tidemark_source.snapshots import HeldSnapshot, join

LARGE_ROWS = 1_000_000
"""Of so many in all tables a job works for minutes: then Java's optimizing compiler pays."""
LARGE_PAGES = LARGE_ROWS // 50


@dataclass(frozen=True)
class Run:
    """One job on one source: where things are, and the engines, started when first used."""

    job: Job
    settings: Settings

    @cached_property
    def spec(self) -> SourceSpec:
        """The source and its tables."""
        return load_source(self.settings.specs / self.job.source)

    @cached_property
    def layout(self) -> Layout:
        """The source's places in the lake."""
        return Layout(self.settings.lake, self.job.source)

    @cached_property
    def control(self) -> Control:
        """What is published."""
        return Control(self.layout)

    @cached_property
    def url(self) -> str:
        """The capture role's connection to the source; holds a secret."""
        return self.settings.source_url(self.job.source)

    @cached_property
    def hash_key(self) -> HashKey | None:
        """The key of hashed columns; None where there are none, or no key. It is a secret."""
        hashes = any(Protect.HASH in spec.protected.values() for spec in self.spec.tables)
        return self.settings.hash_key() if hashes else None

    def protection(self, spec: TableSpec) -> str | None:
        """Name how a table's columns are protected; SettingsError when that needs a key and there is none."""
        return spec.protection(self.hash_key)

    def join(self, held: HeldSnapshot, purpose: str) -> Connection[Any]:
        """Open a connection that reads protected columns as they are stored, in a held snapshot."""
        return join(self.url, held.id, purpose, key=self.hash_key)

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark session."""
        return build_session(f"tidemark {self.job.name} {self.job.source}", self.settings.lake, large=self._is_large())

    def _is_large(self) -> bool:
        """Tell it by what is published; the first copy has to ask the source."""
        published = self.control.published()
        rows = sum(version.rows for version in published.tables) if published else 0
        if rows or self.job.name != "copy":
            return rows >= LARGE_ROWS
        with connect(self.url, purpose="copy") as connection:
            pages = [page_count(connection, spec.table) for spec in self.spec.tables]
        return sum(count for parts in pages for _, count in parts) >= LARGE_PAGES
