"""Histories brought forward, after every publication of a mark.

A history's own commits name the mark that it stands at. Where a table did not change there is no commit: a history is
exact at every mark up to the next one at which silver's version is another. So a run that was cut off after it had
published is caught up by the next, mark by mark.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.evolution import spec_at
from tidemark_contract.specs import TableSpec
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.changes import ChangeReader
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.history.step import Move, plan, take
from tidemark_jobs.history.table import open_history, stands_at
from tidemark_jobs.leases import Lease
from tidemark_jobs.logs import log
from tidemark_jobs.plan import TableFold
from tidemark_jobs.run import Run
from tidemark_jobs.silver import APPLICATION
from tidemark_jobs.upsert.apply import Overtaken
from tidemark_jobs.upsert.place import NotWritable

ATTEMPTS = 5
CATCH_UP = 50
"""Marks at which a table changed that a history is caught up by, one by one."""


@dataclass(frozen=True)
class Histories:
    """The histories of one source, on their way to a mark that is published."""

    run: Run
    bronze: Bronze
    held: Lease

    def follow(self, before: PublishedMark | None, published: PublishedMark) -> None:
        """Bring every history to a published mark; `before` is the one that was published before it, if it is at hand.

        What cannot be done to one is told, and tried again after the next mark; the others go on.
        """
        specs = [spec for spec in self.run.spec.tables if spec.historic and _has_key(spec, published)]
        moves = [move for spec in specs for move in self._moves(spec, before, published)]
        for _, some in groupby(sorted(moves, key=_way), _way):
            self._take_all(list(some))

    def _moves(self, spec: TableSpec, before: PublishedMark | None, published: PublishedMark) -> Iterator[Move]:
        """Give the steps that a history lacks: to each mark at which its table is another than before."""
        table = _opened(self.run.layout.history(spec.table))
        stand = self._stand(stands_at(table) if table else None, [published, *([before] if before else [])])
        if stand is None:
            newest = table.transaction_version(APPLICATION) if table else None
            if published.version(spec.table) and (newest or 0) < published.mark.id:
                yield Move(spec, None, published)
            return
        for base, target in self._path(spec, stand, before, published):
            yield Move(spec, base, target, stand.mark.id)
            stand = target

    def _path(
        self, spec: TableSpec, stand: PublishedMark, before: PublishedMark | None, published: PublishedMark
    ) -> list[tuple[PublishedMark | None, PublishedMark]]:
        """Give the marks at which a table is another than at the one before, from where its history stands.

        One that is too far behind, or not to be gone on from, comes to the newest mark at once.
        """
        then, path, mark = stand.version(spec.table), list[tuple[PublishedMark | None, PublishedMark]](), published
        if published.version(spec.table) is None:
            return []
        while not _is_same(spec, stand, mark):
            now = mark.version(spec.table)
            if then is None or now is None or now.copy != then.copy or len(path) == CATCH_UP:
                return [(None, published)]
            if before is not None and mark is published and _is_same(spec, stand, before):
                return [(before, published)]
            target = self.run.control.published_from(now.mark) or published
            mark = self.run.control.published_before(target.mark.id, since=stand.mark.id) or stand
            path.append((mark, target))
        return path[::-1]

    def _stand(self, stands: tuple[int, str | None] | None, at_hand: Sequence[PublishedMark]) -> PublishedMark | None:
        if stands is None:
            return None
        number, nonce = stands
        found = next((mark for mark in at_hand if mark.mark.id == number), None) or self.run.control.published(number)
        return found if found and nonce in (None, found.mark.nonce) else None

    def _take_all(self, moves: Sequence[Move]) -> None:
        """Take the steps of several tables between the same two marks."""
        base, target = moves[0].base, moves[0].target
        first_lsn = base.read_from if base else target.commit_lsn
        window = self.bronze.window(first_lsn, target.commit_lsn)
        marks = [arrived.mark for arrived in self.bronze.marks_since(first_lsn)]
        plans = [(move, plan(move, window, marks, self.run.protection(move.written))) for move in moves]
        reader = ChangeReader(self.run.spark, window, [fold for _, fold in plans if fold], target.mark)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(lambda planned: self._take(reader, *planned), plans))

    def _take(self, reader: ChangeReader, move: Move, fold: TableFold | None) -> None:
        """Take one step; where its changes cannot be folded, by comparison."""
        try:
            self._take_beside_others(reader, move, fold)
        except (PySparkException, Py4JJavaError, FileNotFoundError, NotWritable) as error:
            told = {"table": str(move.written.table), "mark": move.target.mark.id, "message": str(error)[:500]}
            log("history_not_folded" if fold else "history_left", level="warning", **told)
            if fold:
                self._take(reader, move, None)

    def _take_beside_others(self, reader: ChangeReader, move: Move, fold: TableFold | None) -> None:
        """Again and again if somebody else, a compaction maybe, commits first: nothing has changed then."""
        target = move.target.mark
        for _ in range(ATTEMPTS):
            self.held.check()
            place = open_history(self.run.layout.history(move.written.table))
            stands = stands_at(place.table)
            if stands and stands[0] >= target.id:
                return
            gone_on = stands is not None and stands[0] == move.stand
            try:
                take(self.run, place, move, fold if gone_on else None, reader)
            except Overtaken:
                continue
            log("history", table=str(move.written.table), mark=target.id, folded=bool(fold and gone_on))
            return
        raise LakeUnavailable(f"{move.written.table}'s history is rewritten by others all the time")


def _opened(url: str) -> DeltaTable | None:
    try:
        return open_table(url)
    except TableNotFoundError:
        return None


def _has_key(spec: TableSpec, published: PublishedMark) -> bool:
    return spec_at(spec, published.mark.catalog.table(spec.table)).historic


def _way(move: Move) -> tuple[int, int]:
    """Steps to an earlier mark come first; those between the same two marks stand together."""
    return move.target.mark.id, move.base.mark.id if move.base else 0


def _is_same(spec: TableSpec, stand: PublishedMark, mark: PublishedMark) -> bool:
    """Tell whether silver holds at a mark what it held where the history stands."""
    then, now = stand.version(spec.table), mark.version(spec.table)
    return then is not None and now is not None and then.copy == now.copy and now.mark <= stand.mark.id
