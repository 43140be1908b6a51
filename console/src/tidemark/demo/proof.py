"""What the demo shows at its end: rows, changes applied, lag and proof of every table, and that no money was lost."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from deltalake import DeltaTable, QueryBuilder
from rich.table import Table
from rich.text import Text

from tidemark.demo.schema import ACCOUNTS, OPENING_BALANCE
from tidemark.mirror import Mirror
from tidemark.published import Control, ProofRow, PublishedMark
from tidemark.results import proof_text
from tidemark.status.format import count, seconds
from tidemark.status.report import MarkPoint, point
from tidemark_contract.names import TableName

ACCOUNT = TableName("public", "account")
_CHANGED = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")


@dataclass(frozen=True)
class Line:
    """One table at the proven mark; `changes` are rows inserted, updated and deleted by syncs so far."""

    table: TableName
    rows: int
    changes: int
    equal: bool
    differing: int


@dataclass(frozen=True)
class Proof:
    """The result of a demo."""

    lines: tuple[Line, ...]
    at: MarkPoint
    lag_s: float
    balances: Decimal

    @property
    def money_kept(self) -> bool:
        """Tell whether the accounts' sum at the mark is what it always has to be."""
        return self.balances == ACCOUNTS * OPENING_BALANCE

    @property
    def holds(self) -> bool:
        """Tell whether every table is proven equal and no money was lost."""
        return bool(self.lines) and all(line.equal for line in self.lines) and self.money_kept


def read_proof(mirror: Mirror) -> Proof:
    """Put the result of the newest verify together from the lake alone."""
    control = Control(mirror.layout)
    proofs = control.proofs()
    newest = control.published()
    published = control.published(proofs[-1].mark) if proofs else None
    if published is None or newest is None:
        raise RuntimeError("nothing was verified")
    proven = {TableName.parse(proof.table): proof for proof in proofs if proof.mark == published.mark.id}
    return Proof(
        lines=tuple(_line(mirror, spec.table, proven.get(spec.table)) for spec in mirror.source.tables),
        at=point(published),
        lag_s=(datetime.now(UTC) - newest.mark.taken_at).total_seconds(),
        balances=balances_at(mirror, published),
    )


def _line(mirror: Mirror, table: TableName, proof: ProofRow | None) -> Line:
    """A table that was not proven is not equal."""
    if proof is None:
        return Line(table, 0, 0, False, 0)
    return Line(table, proof.rows, changes_of(mirror, table), proof.equal, proof.differing)


def changes_of(mirror: Mirror, table: TableName) -> int:
    """Count the rows that MERGEs have inserted, updated and deleted."""
    commits = DeltaTable(mirror.layout.silver(table)).history()
    metrics = [commit.get("operationMetrics", {}) for commit in commits if commit.get("operation") == "MERGE"]
    return sum(int(entry.get(name, 0)) for entry in metrics for name in _CHANGED)


def balances_at(mirror: Mirror, published: PublishedMark) -> Decimal:
    """Add up all accounts as they were at a mark."""
    version = published.version(ACCOUNT)
    if version is None:
        return Decimal(0)
    accounts = DeltaTable(mirror.layout.silver(ACCOUNT), version=version.version)
    query = QueryBuilder().register("account", accounts).execute("SELECT sum(balance) AS total FROM account")
    (total,) = (row["total"] for row in _rows(query))
    return Decimal(total or 0)


def _rows(query: object) -> list[dict[str, Decimal | None]]:
    import pyarrow as pa

    return list(pa.table(query.read_all()).to_pylist())  # type: ignore[attr-defined]


def as_table(proof: Proof) -> Table:
    """Lay the result out."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for name in ("table", "rows", "changes applied", "lag", "proof"):
        table.add_column(name, justify="left" if name in ("table", "proof") else "right", header_style="bold")
    for line in proof.lines:
        outcome = proof_text(line.equal, line.differing)
        table.add_row(Text(str(line.table)), count(line.rows), count(line.changes), seconds(proof.lag_s), outcome)
    return table
