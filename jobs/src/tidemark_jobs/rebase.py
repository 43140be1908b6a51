"""`rebase`: begin anew with the source as it is now, after it was restored, failed over, or lost its slot.

The stream is stopped. What the lake had of the source's former history is of no more use: bronze is emptied, files of
earlier incarnations that land later are never registered, and a mark of the source as it is now is published, at which
no table is exact. A table comes back by a copy or a repair, as one does that is stale for any other reason.
"""

from datetime import UTC, datetime

from deltalake import CommitProperties, Transaction

from tidemark_jobs import storage
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.control import PublishedMark, TableState
from tidemark_jobs.copy import COPYING, newest_copy
from tidemark_jobs.landing import Landing, application
from tidemark_jobs.leases import lease
from tidemark_jobs.logs import log
from tidemark_jobs.plan import STALE
from tidemark_jobs.run import Run
from tidemark_source.marks import write_mark

_INCARNATIONS = "incarnations/"
_NEVER = 1 << 62  # a counter that no landing file has


def rebase(run: Run) -> dict[str, object]:
    """Publish a mark of the source as it is now as the lake's new base; every table that was copied is stale then."""
    with lease(run.layout, COPYING), lease(run.layout, "sync") as held:
        Landing(run.layout).register()
        bronze = Bronze(run.layout)
        published = run.control.published()
        mark = write_mark(run.url, run.spec.name, plain=run.spec.plain, above=_newest_id(run, bronze, published))
        held.check()
        why = f"the stream began anew at mark {mark.id}: `tidemark copy`, or `tidemark repair` where little differs"
        # First: cut off after this, no table that lacks what is emptied next could come into a mark.
        run.control.set_states(lambda now: dict.fromkeys(now, TableState(STALE, why)))
        _empty(run, bronze)
        run.control.publish(PublishedMark(mark, 0, 0, 0, (), datetime.now(UTC)), published)
        log("rebased", mark=mark.id)
    return {"job": "rebase", "source": run.spec.name, "mark": mark.id}


def _newest_id(run: Run, bronze: Bronze, published: PublishedMark | None) -> int:
    arrived = [a.mark.id for a in bronze.marks_since(published.commit_lsn if published else 0)]
    return max([*arrived, newest_copy(run.layout), published.mark.id if published else 0])


def _empty(run: Run, bronze: Bronze) -> None:
    """Take every file out of bronze, in a commit after which no file of these incarnations is taken in."""
    objects = [stored.name for stored in storage.list_objects(run.layout.claims)]
    numbers = [int(name.removeprefix(_INCARNATIONS)) for name in objects if name.startswith(_INCARNATIONS)]
    ended = [Transaction(application(number), _NEVER) for number in numbers]
    bronze.refresh()
    bronze.table.delete(commit_properties=CommitProperties(app_transactions=ended))
