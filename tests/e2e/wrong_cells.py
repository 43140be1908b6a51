"""Proofs of tables in which one cell is wrong: what they find, and what not."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from tests.e2e.corruption import Corruption, corrupted
from tidemark_contract.evolution import spec_at
from tidemark_contract.marks import MarkKind
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_jobs.buckets import Buckets
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.run import Run
from tidemark_jobs.sync import sync_job
from tidemark_jobs.tables import ProofRow
from tidemark_jobs.verify import prove, source_buckets
from tidemark_source.pace import FULL
from tidemark_source.proofs import ProofReader
from tidemark_source.snapshots import hold


@dataclass(frozen=True)
class Proving:
    """Tables, published at a held mark, that can be proven again and again."""

    run: Run
    specs: Sequence[TableSpec]
    reader: ProofReader
    published: PublishedMark
    of_source: Mapping[TableName, tuple[int, Buckets]]

    def newest(self, spec: TableSpec) -> ProofRow:
        """Prove a table as its newest version is."""
        version = self.published.version(spec.table)
        assert version, f"{spec.table} is not in the mark"
        there = replace(version, version=open_table(self.run.layout.silver(spec.table)).version())
        return prove(self.run, self.reader, replace(self.published, tables=(there,)), spec, self.of_source[spec.table])

    def missed(self, chance: random.Random) -> list[str]:
        """Make one cell of each table wrong, all at once; tell which of them no proof has named as it is."""
        with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
            url = self.run.layout.silver
            wrong = [stack.enter_context(corrupted(chance, url(spec.table), spec)) for spec in self.specs]
            proofs = list(pool.map(self.newest, self.specs))
        return [f"{w}: {p.details}" for w, p in zip(wrong, proofs, strict=True) if not _names(p, w)]

    def unequal(self, specs: Sequence[TableSpec]) -> list[TableName]:
        """Tell which tables are found different as they are."""
        return [spec.table for spec in specs if not self.newest(spec).equal]


@contextmanager
def proving(run: Run, specs: Sequence[TableSpec]) -> Iterator[Proving]:
    """Hold a mark for the length of a block, publish it, and hash the source's tables in it."""
    with hold(run.url, "shop", [spec.table for spec in specs], MarkKind.VERIFY, plain=run.spec.plain) as held:
        list(sync_job(run))
        published = run.control.published(held.mark.id)
        assert published
        reader = ProofReader.of(run.url, held, FULL, run.hash_key)
        now = [spec_at(spec, held.mark.catalog.table(spec.table)) for spec in specs]
        of_source = {spec.table: source_buckets(run, spec, reader) for spec in now}
        yield Proving(run, now, reader, published, of_source)


def _names(proof: ProofRow, wrong: Corruption) -> bool:
    """Tell whether a proof names just the wrong cell; a wrong count or key is that of a row too many or too few."""
    found = json.loads(proof.details)
    keys = {detail["key"] for detail in found}
    columns = {column for detail in found for column in detail["columns"]}
    if wrong.column == "_key":
        return wrong.key in keys and len(keys) <= 2
    of_rows = wrong.column == "_count" and not columns
    one = len(columns) == 1 or wrong.column == "_exact"
    return {wrong.key} == keys and proof.differing == 1 and (of_rows or (one and columns <= wrong.names))
