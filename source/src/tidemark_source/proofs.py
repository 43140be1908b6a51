"""The source's half of a proof, read inside a held snapshot at a pace."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tidemark_contract.protection import HashKey
from tidemark_contract.specs import TableSpec
from tidemark_source.hashes import bucket_hashes, rows_of_buckets
from tidemark_source.pace import Pace
from tidemark_source.snapshots import HeldSnapshot, join


@dataclass(frozen=True)
class ProofReader:
    """Reads what the snapshot sees; several threads may at once, and share the pace.

    Its methods raise as `HeldSnapshot.check` does.
    """

    url: str
    held: HeldSnapshot
    pace: Pace
    key: HashKey | None = field(repr=False)

    @classmethod
    def of(cls, url: str, held: HeldSnapshot, share: float, key: HashKey | None = None) -> "ProofReader":
        """Read with a share of one of the server's cores, and the key of hashed columns; stop when it is given up."""
        return cls(url, held, Pace(share, held.check), key)

    def buckets(self, spec: TableSpec, buckets: int) -> dict[int, tuple[int, int]]:
        """Give what `bucket_hashes` does."""
        with join(self.url, self.held.id, "proof", key=self.key) as connection:
            found = bucket_hashes(connection, spec, buckets, self.pace)
        self.held.check()
        return found

    def rows(self, spec: TableSpec, buckets: int, chosen: Collection[int]) -> Iterator[tuple[str, list[str | None]]]:
        """Give what `rows_of_buckets` does."""
        with join(self.url, self.held.id, "proof", key=self.key) as connection:
            yield from rows_of_buckets(connection, spec, buckets, chosen, self.pace)
        self.held.check()
