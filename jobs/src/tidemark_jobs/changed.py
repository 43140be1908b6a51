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
    except RetryableError as error:
        return _left(specs, error)
    except (SourceRefused, PySparkException, Py4JJavaError) as error:
        if len(specs) > 1:  # it is of one of them: each by itself then
            copied = [_copied(run, [spec]) for spec in specs]
            return any(copied)
        return _refused(run, specs[0], error) if isinstance(error, SourceRefused) else _left(specs, error)
    return True


def _left(specs: Sequence[TableSpec], error: Exception) -> bool:
    log("not_copied_now", level="warning", tables=[str(spec.table) for spec in specs], message=str(error))
    return False


def _refused(run: Run, spec: TableSpec, refusal: SourceRefused) -> bool:
    run.control.set_states(lambda now: {spec.table: TableState(STALE, f"{now[spec.table].reason}; {refusal}")})
    return False
