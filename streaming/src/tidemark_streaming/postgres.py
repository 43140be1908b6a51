"""The Java source of PostgreSQL changes, as PyFlink wraps Flink's own connectors. Rows stay in the JVM."""

from collections.abc import Mapping
from typing import Self

from pyflink.datastream.connectors.base import Source  # type: ignore[import-untyped]
from pyflink.java_gateway import get_gateway  # type: ignore[import-untyped]

# The source's row, as its Java class documents it; LSNs are bytes of the log, commit_ts microseconds since 1970 (UTC).
COLUMNS = {
    "system_id": "STRING",
    "timeline": "INT",
    "commit_lsn": "BIGINT",
    "ordinal": "BIGINT",
    "xid": "BIGINT",
    "commit_ts": "BIGINT",
    "op": "STRING",
    "schema_name": "STRING",
    "table_name": "STRING",
    "relation_id": "BIGINT",
    "before": "MAP<STRING, STRING>",
    "after": "MAP<STRING, STRING>",
    "unchanged": "ARRAY<STRING>",
    "protection": "STRING",
}


class PgOutputSource(Source):  # type: ignore[misc]  # PyFlink is not typed
    """Read a replication slot of PostgreSQL: every committed change of a publication, in commit order.

    Guarantees: with checkpoints, each change comes into the stream's state exactly once, ordered by
    (commit_lsn, ordinal), and the slot is confirmed only up to what a completed checkpoint holds. The values are
    PostgreSQL's own text; a column whose stored value did not change is named in `unchanged`.

    What may come twice: after a restore, what was sent since the restored checkpoint is emitted again, the same and in
    the same order; a sink that commits on checkpoints shows it once. Schema rows (op `s`) may repeat at any restart:
    they have no ordinal of their own, but that of the change that follows.

    What the caller bears: publication first, then the slot (this source creates and drops neither); one reader per
    slot; parallelism 1; a fixed uid; a slot that nobody reads keeps the server's log from being removed; an error that
    no restart can heal ends the job at once, so whoever started it must read the reason.
    """

    @staticmethod
    def builder() -> "PgOutputSourceBuilder":
        """Begin a source."""
        return PgOutputSourceBuilder()


class PgOutputSourceBuilder:
    """Collect the options of a PgOutputSource; docs/connector.md lists them all."""

    def __init__(self) -> None:
        self._options: dict[str, str] = {}

    def slot(self, name: str) -> Self:
        """Name the slot: pgoutput, created after the publications."""
        return self.option("slot", name)

    def publications(self, *names: str) -> Self:
        """Name the publications to read."""
        return self.option("publications", ",".join(names))

    def password_file(self, path: str) -> Self:
        """Name the file, on the TaskManager, that holds the password: so it is in no job graph."""
        return self.option("password.file", path)

    def options(self, options: Mapping[str, str]) -> Self:
        """Set options by their names, e.g. host, port, database, user, ssl.mode."""
        self._options |= options
        return self

    def option(self, name: str, value: str) -> Self:
        """Set one option by its name."""
        self._options[name] = value
        return self

    def build(self) -> PgOutputSource:
        """Give the source; an option that is unknown, missing or malformed is a Java IllegalArgumentException."""
        jvm = get_gateway().jvm
        options = jvm.java.util.HashMap()
        for name, value in self._options.items():
            options.put(name, value)
        return PgOutputSource(jvm.io.tidemark.flink.pgoutput.source.PgOutputSource.of(options))
