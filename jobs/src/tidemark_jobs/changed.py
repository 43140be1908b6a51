"""Tables whose schema or partitions changed as no stream can tell: copied again, without being asked to."""

from collections.abc import Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from tidemark_contract.errors import RetryableError, SourceRefused
from tidemark_contract.specs import TableSpec
from tidemark_jobs.control import TableState
from tidemark_jobs.copy import copy_tables
from tidemark_jobs.logs import log
from tidemark_jobs.plan import CHANGED, STALE
from tidemark_jobs.run import Run


def copy_changed(run: Run) -> bool:
    """Copy the changed tables, in one snapshot; tell whether any was copied.

    One that the source refuses is stale, with the reason; one that could not be copied now stays changed.
    """
    states = run.control.tables()
    changed = [spec for spec in run.spec.tables if states.get(spec.table, TableState("")).state == CHANGED]
    for spec in changed:
        log("copying_again", table=str(spec.table), reason=states[spec.table].reason)
    return bool(changed) and _copied(run, changed)


def _copied(run: Run, specs: Sequence[TableSpec]) -> bool:
    try:
        copy_tables(run, specs)
    except (RetryableError, PySparkException, Py4JJavaError) as error:
        log("not_copied_now", level="warning", tables=len(specs), message=str(error))
        return False
    except SourceRefused as error:
        return _copied_one_by_one(run, specs, str(error))
    return True


def _copied_one_by_one(run: Run, specs: Sequence[TableSpec], refusal: str) -> bool:
    if len(specs) == 1:
        [table] = [spec.table for spec in specs]
        run.control.set_states(lambda now: {table: TableState(STALE, f"{now[table].reason}; {refusal}")})
        return False
    copied = [_copied(run, [spec]) for spec in specs]
    return any(copied)
