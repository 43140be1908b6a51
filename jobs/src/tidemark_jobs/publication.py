"""The publication of one mark: where every table stands, what is folded into it, and the record of it all."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tidemark_contract.evolution import spec_at
from tidemark_contract.marks import Mark
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver
from tidemark_jobs.adopt import adopt
from tidemark_jobs.adopt_repair import adopt_repair
from tidemark_jobs.bronze import ArrivedMark, Bronze, Window
from tidemark_jobs.changes import ChangeReader
from tidemark_jobs.control import PublishedMark, TableState, TableVersion
from tidemark_jobs.copy import read_manifest
from tidemark_jobs.folding import fold_table
from tidemark_jobs.leases import Lease
from tidemark_jobs.logs import log
from tidemark_jobs.plan import COPIED, COPIED_OTHERWISE, LEFT_OUT, LIVE, STALE, Stand, TableFold, judge
from tidemark_jobs.run import Run
from tidemark_jobs.upsert.place import NotWritable


@dataclass(frozen=True)
class Publication:
    """One mark on its way from bronze to published."""

    run: Run
    bronze: Bronze
    published: PublishedMark | None
    arrived: Sequence[ArrivedMark]
    target: Mark

    def publish(self, held: Lease) -> PublishedMark:
        """Fold, then record; the order of the last four lines is what makes a crash between them harmless."""
        started = time.monotonic()
        commit_lsn = next(a.commit_lsn for a in self.arrived if a.mark.nonce == self.target.nonce)
        stands = self._stands()
        first_lsn = self._first_lsn(stands)
        window = self.bronze.window(first_lsn, commit_lsn)
        marks = [a.mark for a in self.bronze.marks_since(first_lsn)]
        judged = [(stand, *judge(stand, self.target, window, marks)) for stand in stands]
        folds = [fold for _, _, fold in judged if fold]
        merged = self._fold_all(window, folds, held)
        outcomes = [merged.get(s.spec.table, (state, s.version)) for s, state, _ in judged]
        versions = [version for state, version in outcomes if state.state == LIVE]
        changes = sum(fold.changes for fold in folds)
        read_from = window.lowest_unseen(self.target.snapshot)
        result = PublishedMark(self.target, commit_lsn, read_from, changes, tuple(versions), datetime.now(UTC))
        held.check()
        self._take_out([(state, version) for state, version in outcomes if state.state != LIVE])
        self.run.control.publish(result, self.published)
        self._take_in(versions)
        seconds = round(time.monotonic() - started, 3)
        log("published", mark=self.target.id, tables=len(versions), changes=changes, seconds=seconds)
        return result

    def _stands(self) -> list[Stand]:
        """Find where every table stands that can take part in this mark; finished copies are adopted here."""
        states = self.run.control.tables()
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(
                lambda spec: self._stand(spec, states[spec.table]),
                [spec for spec in self.run.spec.tables if spec.table in states],
            )
            return [stand for stand in found if stand is not None]

    def _stand(self, spec: TableSpec, state: TableState) -> Stand | None:
        version = self.published.version(spec.table) if self.published else None
        if state.state == COPIED and (version is None or version.copy != state.mark):
            return self._adopted(spec, state.mark or 0, version)
        if state.state not in (LIVE, COPIED) or self.published is None:
            return None
        if version is None:
            base = self.published.mark
            return Stand(spec, TableState(STALE, LEFT_OUT), base, TableVersion(spec.table, -1, base.id, 0, 0))
        stand = Stand(spec, TableState(LIVE), self.published.mark, version, protection=self.run.protection(spec))
        copied = read_manifest(self.run.layout, version.copy).get(spec.table)
        if (copied and copied.protection) != stand.protection:
            return replace(stand, state=TableState(STALE, COPIED_OTHERWISE))
        return self._after_steps(stand, silver.standing(self._path(spec), version.version))

    def _adopted(self, spec: TableSpec, number: int, before: TableVersion | None) -> Stand | None:
        """Adopt a finished copy, once its mark is in bronze: then all that it saw is durable in the source."""
        copied = read_manifest(self.run.layout, number).get(spec.table)
        mark = self._copy_mark(number)
        if copied is None or mark is None or not self.target.snapshot.contains(mark.snapshot):
            return None
        protection = self.run.protection(spec)
        if copied.protection != protection:
            version = TableVersion(spec.table, -1, mark.id, mark.id, copied.rows)
            return Stand(spec, TableState(STALE, COPIED_OTHERWISE), mark, version)
        as_copied = spec_at(spec, mark.catalog.table(spec.table))
        since = before.version if before else -1
        if copied.repairs is None:
            tail = adopt(self.run, as_copied, copied, mark, since=since)
        else:
            try:
                tail = adopt_repair(self.run, as_copied, copied, mark)
            except (NotWritable, FileNotFoundError) as error:  # altered, or damaged, since it was repaired
                version = TableVersion(spec.table, copied.repairs, mark.id, mark.id, copied.rows)
                return Stand(spec, TableState(STALE, str(error)), mark, version)
        version = TableVersion(spec.table, tail.version, mark.id, mark.id, copied.rows)
        return self._after_steps(Stand(spec, TableState(LIVE), mark, version, protection=protection), tail)

    def _after_steps(self, stand: Stand, standing: silver.Standing) -> Stand:
        """Go on from what a run did that was cut off before it published."""
        try:
            standing.check(self._path(stand.spec), stand.base.nonce)
        except silver.TableInterfered as error:
            return replace(stand, state=TableState(STALE, str(error)))
        stand = replace(stand, soft=standing.soft)
        rows = stand.version.rows + sum(step.rows for step in standing.steps)
        version = replace(stand.version, version=standing.version, rows=rows)
        if not standing.steps:
            return replace(stand, version=version)
        last = standing.steps[-1]
        return replace(stand, base=self._mark(last.nonce), version=replace(version, mark=last.mark))

    def _path(self, spec: TableSpec) -> str:
        return self.run.layout.silver(spec.table)

    def _copy_mark(self, number: int) -> Mark | None:
        arrived = next((a.mark for a in self.arrived if a.mark.id == number), None)
        published = self.run.control.published(number) if arrived is None else None
        return arrived or (published.mark if published else None)

    def _mark(self, nonce: str) -> Mark:
        known = [a.mark for a in self.arrived] + ([self.published.mark] if self.published else [])
        return next(mark for mark in known if mark.nonce == nonce)

    def _first_lsn(self, stands: Sequence[Stand]) -> int:
        """Give the lowest commit LSN of a change that some table still lacks."""
        return min((self._read_from(stand.base) for stand in stands), default=self._read_from(None))

    def _read_from(self, base: Mark | None) -> int:
        if self.published is None:
            return 0
        if base is None or base.nonce == self.published.mark.nonce or base.follows(self.published.mark):
            return self.published.read_from
        earlier = self.run.control.published(base.id)
        return earlier.read_from if earlier else 0

    def _take_out(self, outcomes: Sequence[tuple[TableState, TableVersion]]) -> None:
        """Record, before the mark is published, which tables are not exact at it. One whose new copy is there waits."""
        taken: dict[TableName, TableState] = {}

        def take(now: dict[TableName, TableState]) -> dict[TableName, TableState]:
            taken.clear()
            for state, version in outcomes:
                if now[version.table].state != COPIED or now[version.table].mark == version.copy:
                    taken[version.table] = state
            return taken

        self.run.control.set_states(take)
        for table, state in taken.items():
            log("table_out", level="warning", table=str(table), state=state.state, reason=state.reason)

    def _take_in(self, versions: Sequence[TableVersion]) -> None:
        """Record that adopted copies are live; one that was finished meanwhile stays for the next mark."""
        copies = {version.table: version.copy for version in versions}
        self.run.control.set_states(
            lambda now: {
                table: TableState(LIVE)
                for table, state in now.items()
                if state.state == COPIED and copies.get(table) == state.mark
            }
        )

    def _fold_all(
        self, window: Window, folds: Sequence[TableFold], held: Lease
    ) -> dict[TableName, tuple[TableState, TableVersion]]:
        reader = ChangeReader(self.run.spark, window, folds, self.target)

        def fold_one(fold: TableFold) -> tuple[TableName, tuple[TableState, TableVersion]]:
            held.check()
            return fold.stand.spec.table, fold_table(self.run, reader, fold, self.target)

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return dict(pool.map(fold_one, folds))
