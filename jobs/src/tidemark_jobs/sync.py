"""`sync`: bronze to silver, up to a mark; and the publication of that mark.

Crash-safe by construction: nothing is recorded before it is true. Landing files are registered by counter; every
silver commit names the mark it leads to, so a run that starts after a crash goes on from where each table stands;
the mark is published last, by a commit that counts only if no other was published meanwhile.
"""

import time
from collections.abc import Iterator

from tidemark_contract.errors import LeaseTaken, MarkTimeout, SourceChanged
from tidemark_contract.marks import BEGIN_ANEW, Mark, check_same_source, format_lsn, next_to_publish
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.changed import copy_changed
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.history.forward import Histories
from tidemark_jobs.landing import Landing
from tidemark_jobs.leases import Lease, lease
from tidemark_jobs.logs import log
from tidemark_jobs.publication import Publication
from tidemark_jobs.run import Run
from tidemark_source.marks import changed_since, write_mark

POLL_S = 0.5
# Another one works, and whoever waits for it takes of the same machine.
GENTLE_S = 2.0


def sync_to(run: Run, bronze: Bronze, wanted: Mark, held: Lease) -> PublishedMark:
    """Publish marks, in their order, until the wanted one or a later state of the source is published.

    SourceChanged before any mark is published that the source does not know: it was restored or failed over.
    """
    deadline = time.monotonic() + run.job.timeout
    landing = Landing(run.layout)
    due = True  # files that an earlier run has registered
    while True:
        if landing.register() or due:
            due = False
            bronze.refresh()
            newest = run.control.published()
            _check_source(run, bronze, newest)
            for published in publish_due(run, bronze, held, newest):
                if published.mark.snapshot.contains(wanted.snapshot):
                    return published
            if (newest := run.control.published()) and newest.mark.snapshot.contains(wanted.snapshot):
                return newest  # another run was quicker
        else:
            _wait(deadline, wanted)


def sync_or_wait(run: Run, wanted: Mark) -> PublishedMark:
    """Publish the mark, or wait until the sync that is running has; when it ends without, it is ours."""
    deadline = time.monotonic() + run.job.timeout
    pause, waiting = POLL_S, False
    while True:
        try:
            with lease(run.layout, "sync") as own:
                sync_to(run, Bronze(run.layout), wanted, own)
        except LeaseTaken:
            if not waiting:
                log("waiting_for_sync", mark=wanted.id)
            waiting = True
        if published := run.control.published(wanted.id):
            return published
        _wait(deadline, wanted, pause)
        pause = min(2 * pause, GENTLE_S)


def _wait(deadline: float, wanted: Mark, pause: float = POLL_S) -> None:
    if time.monotonic() > deadline:
        raise MarkTimeout(
            f"mark {wanted.id} did not arrive in the lake: is the stream running? `tidemark status` shows it, "
            "`tidemark start` starts it; a longer --timeout waits longer"
        )
    time.sleep(pause)


def _check_source(run: Run, bronze: Bronze, published: PublishedMark | None) -> None:
    """Raise SourceChanged when the source lacks a mark that the lake has, or is another one."""
    arrived = [a.mark for a in bronze.marks_since(published.commit_lsn if published else 0)]
    if why := changed_since(run.url, [*arrived, *([published.mark] if published else [])]):
        raise SourceChanged(f"{why}; {BEGIN_ANEW}")


def publish_due(run: Run, bronze: Bronze, held: Lease, published: PublishedMark | None) -> Iterator[PublishedMark]:
    """Publish, after the newest that is published, each mark that is in bronze, newer, and to be published."""
    histories = Histories(run, bronze, held)
    if published:
        histories.follow(None, published)  # where a run was cut off
    while True:
        arrived = bronze.marks_since(published.read_from if published else 0)
        target = next_to_publish(published.mark if published else None, [a.mark for a in arrived])
        if target is None:
            return
        if published:
            check_same_source(published.mark, target)
        before, published = published, Publication(run, bronze, published, arrived, target).publish(held)
        histories.follow(before, published)
        yield published


def sync_job(run: Run) -> Iterator[dict[str, object]]:
    """Sync once, or for ever in a warm session; give one summary per mark of ours that was published."""
    with lease(run.layout, "sync") as held:
        bronze = Bronze(run.layout)
        while True:
            published = sync_to(run, bronze, _write_mark(run), held)
            if copy_changed(run):
                published = sync_to(run, bronze, _write_mark(run), held)
            yield _facts(run, published)
            if not run.job.continuous:
                return
            time.sleep(run.job.pause_s)  # from the end: a machine that is behind gets the same rest


def _write_mark(run: Run) -> Mark:
    return write_mark(run.url, run.spec.name, plain=run.spec.plain)


def _facts(run: Run, published: PublishedMark) -> dict[str, object]:
    return {
        "job": "sync",
        "source": run.spec.name,
        "mark": published.mark.id,
        "lsn": format_lsn(published.mark.lsn),
        "taken_at": published.mark.taken_at.isoformat(),
        "tables": len(published.tables),
        "out": len(run.spec.tables) - len(published.tables),
        "changes": published.changes,
        "rows": sum(version.rows for version in published.tables),
        "published": sorted(str(version.table) for version in published.tables),
    }
