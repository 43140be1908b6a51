"""Where everything lies in the lake."""

from dataclasses import dataclass

from tidemark_contract.names import TableName

COPIES = "copies/"
"""Below the claims of a source: an object for each copy that was finished, by its mark."""


@dataclass(frozen=True)
class Layout:
    """The places of one source in a lake; `root` is a `file://` or `s3://` URL without a trailing slash."""

    root: str
    source: str

    @property
    def bronze(self) -> str:
        """The changelog: a Delta table whose files are landing files, registered in place."""
        return f"{self.root}/bronze/{self.source}"

    @property
    def landing(self) -> str:
        """Where the stream writes; one folder per incarnation below it."""
        return f"{self.bronze}/_landing"

    def incarnation(self, number: int) -> str:
        """The landing folder of one incarnation of the stream."""
        return f"{self.landing}/{number:06d}"

    def silver(self, table: TableName) -> str:
        """One Delta table per source table."""
        return f"{self.root}/silver/{self.source}/{table.path}"

    def history(self, table: TableName) -> str:
        """One Delta table per source table that has a history: every version of every row, one row each."""
        return f"{self.root}/history/{self.source}/{table.path}"

    def gold(self, mart: str) -> str:
        """One Delta table per mart."""
        return f"{self.root}/gold/{self.source}/{mart}"

    def control(self, table: str) -> str:
        """A Delta table about all sources: marks, tables, proofs, quarantine."""
        return f"{self.root}/control/{table}"

    @property
    def claims(self) -> str:
        """Small objects that are created only once: leases, incarnations, finished copies."""
        return f"{self.root}/control/_claims/{self.source}"

    def outcome(self, name: str) -> str:
        """The object in which one run of a job that was started elsewhere tells its end, until that is read."""
        return f"{self.root}/control/_outcomes/{self.source}/{name}.json"
