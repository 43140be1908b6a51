"""`erase`: given keys removed for good from everything the lake has of a source, and the proof of it.

The source is the truth: a key that lives there is refused. So a sync comes first, after which no row that is published
has one. Nothing is destroyed before it is certain that nothing needs it: silver's files are written anew beside the
old ones, a second sync publishes them, and control says that older marks cannot be opened any more. What follows takes
away what nobody needs; a run that is cut off, between any two steps, is ended by the next one.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tidemark_contract.errors import ConfigurationError, MarkTimeout, NotErased, RetryableError, SpecError
from tidemark_contract.evolution import spec_at
from tidemark_contract.subjects import Subject, read_subjects
from tidemark_jobs import storage
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.copy import COPYING
from tidemark_jobs.deltalog import is_table
from tidemark_jobs.erase import bronze as changes_in
from tidemark_jobs.erase import records
from tidemark_jobs.erase.bronze import Events
from tidemark_jobs.erase.files import Cleared
from tidemark_jobs.erase.proof import read_all
from tidemark_jobs.erase.reading import Reading
from tidemark_jobs.erase.tables import held, purge, strip
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.gold.marts import build_marts, marts_from
from tidemark_jobs.leases import Lease, lease
from tidemark_jobs.logs import log
from tidemark_jobs.reader import find_mark
from tidemark_jobs.run import Run
from tidemark_jobs.storage import StoredObject
from tidemark_jobs.sync import POLL_S, sync_to
from tidemark_jobs.tables import ErasureRow
from tidemark_source.keytexts import key_problems
from tidemark_source.marks import write_mark
from tidemark_source.slots import slot_health

_NAMED = 20


def erase(run: Run) -> dict[str, object]:
    """Erase the keys that the job's file names; of a dry run, count what that would remove."""
    published = find_mark(run.control, None)
    wanted = choose(run, published)
    if problems := key_problems(run.url, _subjects(run, published)):
        raise SpecError(str(run.job.subject), problems)
    if run.job.dry_run:
        return _counted(run, published, wanted)
    with lease(run.layout, COPYING), lease(run.layout, "maintain"), lease(run.layout, "sync") as own:
        return _Erasure(run, Bronze(run.layout), own).facts()


def choose(run: Run, published: PublishedMark) -> list[Wanted]:
    """Read the job's file by the columns that the tables have at a mark, at which all of them have to be exact."""
    catalog = published.mark.catalog
    subjects = [subject.as_stored(run.hash_key) for subject in _subjects(run, published)]
    chosen = {subject.spec.table: subject.spec for subject in subjects}
    if out := [str(table) for table in chosen if published.version(table) is None]:
        raise ConfigurationError(
            f"{', '.join(out)}: not in mark {published.mark.id}, so what the lake has of it may be needed again: "
            "`tidemark status` says why, and what brings it back"
        )
    catalogs = run.control.catalogs()
    return [Wanted(spec, subjects, catalogs, catalog) for spec in chosen.values()]


def _subjects(run: Run, published: PublishedMark) -> Sequence[Subject]:
    catalog = published.mark.catalog
    specs = [spec_at(spec, catalog.table(spec.table)) for spec in run.spec.tables]
    return read_subjects(Path(run.job.subject or ""), specs)


def _counted(run: Run, published: PublishedMark, wanted: Sequence[Wanted]) -> dict[str, object]:
    found = read_all(run.layout, Events(wanted, published))
    living = sum(len(file.living) for one in wanted for file in held(run.layout.silver(one.spec.table), one))
    return {
        "job": "erase",
        "source": run.spec.name,
        "dry_run": True,
        "mark": published.mark.id,
        "living": living,
        "rows": dict(sorted((+found.rows).items())),
        "mentions": dict(sorted((+found.mentions).items())),
    }


@dataclass
class _Erasure:
    """One erasure, under the leases that keep copies, compactions and syncs away."""

    run: Run
    bronze: Bronze
    own: Lease
    removed: Counter[str] = field(default_factory=Counter)
    deleted: list[StoredObject] = field(default_factory=list)

    def facts(self) -> dict[str, object]:
        """Do it, and give what was removed and what was read."""
        for wanted in choose(self.run, self._synced()):
            self._purge(wanted)
        published = self._synced()
        events = Events(choose(self.run, published), published)
        changes = self._checked(events)
        marts = self._built_anew(events)
        self._record(events, {}, finished=False)
        self._rewrite_bronze(changes)
        self._clear_control(events)
        self._strip_tables(events, marts)
        reading = read_all(self.run.layout, events)
        log("lake_read", objects=reading.objects, bytes=reading.bytes, left=sum(reading.left.values()))
        facts = self._summary(events, reading)
        if not reading.left:
            self._record(events, facts, finished=True)
        return facts

    def _synced(self) -> PublishedMark:
        """Bring the lake to a fresh mark that the stream will not send anything from before again."""
        run, deadline = self.run, time.monotonic() + self.run.job.timeout
        published = sync_to(run, self.bronze, write_mark(run.url, run.spec.name, plain=run.spec.plain), self.own)
        while (slot := slot_health(run.url, run.spec.name)) and (slot.confirmed_flush_lsn or 0) < published.commit_lsn:
            if time.monotonic() > deadline:
                raise MarkTimeout(
                    f"the slot of {run.spec.name} was not confirmed up to mark {published.mark.id} in time"
                )
            time.sleep(POLL_S)
        log("synced", mark=published.mark.id)
        return published

    def _purge(self, wanted: Wanted) -> None:
        self._refuse_living(wanted)
        for kind, url in self._tables(wanted):
            rows = purge(url, wanted)
            self.removed[kind] += rows
            log("deleted_rows_purged", table=str(wanted.spec.table), place=kind, rows=rows)

    def _tables(self, wanted: Wanted) -> list[tuple[str, str]]:
        """Give the Delta tables that have rows of a table."""
        layout, table = self.run.layout, wanted.spec.table
        history = layout.history(table)
        return [("silver", layout.silver(table)), *([("history", history)] if is_table(history) else [])]

    def _refuse_living(self, wanted: Wanted) -> None:
        living = [line for file in held(self.run.layout.silver(wanted.spec.table), wanted) for line in file.living]
        if living:
            places = {line: place for subject in wanted.subjects for line, place in subject.lines.items()}
            named = "; ".join(sorted({places[line] for line in living if line in places})[:_NAMED])
            raise ConfigurationError(
                f"{wanted.spec.table}: {len(living)} of the rows to be erased live in the source"
                f"{f' ({self.run.job.subject}: {named})' if named else ''}: delete them there first"
            )
        if any(file.living for kind, url in self._tables(wanted) if kind == "history" for file in held(url, wanted)):
            raise RetryableError(f"the history of {wanted.spec.table} has not come to this mark: `tidemark sync`")

    def _checked(self, events: Events) -> Sequence[Cleared]:
        """See that nothing which is to go will be needed again; give the files of bronze that have some of it."""
        for wanted in events.wanted:
            self._refuse_living(wanted)
        found, unseen = changes_in.holding(self.run.layout, events)
        if unseen:
            raise RetryableError(
                f"{unseen} changes of rows to be erased are under way: mark {events.published.mark.id} does not see "
                "their transactions yet"
            )
        return found

    def _built_anew(self, events: Events) -> Sequence[str]:
        """Build the marts that have read the tables from what is left of them; give their names."""
        marts = marts_from(self.run.layout, [wanted.spec.table for wanted in events.wanted])
        if marts:
            build_marts(self.run, marts, events.published)
        return marts

    def _record(self, events: Events, facts: dict[str, object], *, finished: bool) -> None:
        """From the first of the two records on, marks before this one cannot be opened."""
        tables = json.dumps([str(wanted.spec.table) for wanted in events.wanted])
        row = (self.run.spec.name, events.published.mark.id, tables, _keys(events), finished, json.dumps(facts))
        self.run.control.add_erasure(ErasureRow(*row, datetime.now(UTC)))
        log("erasure_recorded", mark=events.published.mark.id, finished=finished)

    def _rewrite_bronze(self, found: Sequence[Cleared]) -> None:
        self.own.check()
        changes_in.rewrite(self.run.layout, found)
        self.removed["bronze"] += sum(file.rows for file in found)
        log("changes_taken_out", files=len(found), changes=self.removed["bronze"])
        self._gone("bronze", changes_in.clean(self.run.layout))

    def _clear_control(self, events: Events) -> None:
        rows = records.clear(self.run.control, events.wanted)
        self.removed["control"] += rows
        log("records_cleared", rows=rows)
        for name in records.TABLES:
            self._gone(f"control/{name}", records.strip(self.run.layout, name))

    def _strip_tables(self, events: Events, marts: Sequence[str]) -> None:
        self.own.check()
        for wanted in events.wanted:
            version = events.published.version(wanted.spec.table)
            versions = {"silver": version.version if version else -1}
            for kind, url in self._tables(wanted):
                self._gone(f"{kind}/{wanted.spec.table.path}", strip(url, versions.get(kind)))
        for mart in marts:
            self._gone(f"gold/{mart}", strip(self.run.layout.gold(mart)))

    def _gone(self, place: str, objects: Sequence[StoredObject]) -> None:
        self.deleted += objects
        log("files_deleted", place=place, objects=len(objects), bytes=sum(stored.size for stored in objects))

    def _summary(self, events: Events, reading: Reading) -> dict[str, object]:
        return {
            "job": "erase",
            "source": self.run.spec.name,
            "mark": events.published.mark.id,
            "keys": _keys(events),
            "removed": {place: self.removed[place] for place in ("silver", "history", "bronze", "control")},
            "deleted": {"objects": len(self.deleted), "bytes": sum(stored.size for stored in self.deleted)},
            "read": {"objects": reading.objects, "bytes": reading.bytes},
            "left": reading.left,
            "mentions": dict(sorted((+reading.mentions).items())),
            "versioned": storage.is_versioned(self.run.layout.claims),
        }


def _keys(events: Events) -> int:
    """Count them as they were written, not as they are stored."""
    return sum(len(set(subject.keys.values())) for wanted in events.wanted for subject in wanted.subjects)


def not_erased(facts: dict[str, object]) -> NotErased:
    """Give the error that an erasure ends with when something is left."""
    return NotErased(f"rows or texts of erased keys are left in the lake, by place: {facts['left']}; run it again")
