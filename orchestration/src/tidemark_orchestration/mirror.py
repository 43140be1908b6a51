"""The DAGs of a source's mirror: sync, verify, maintain, and the copies that a person asks for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, AssetAlias, Param

from tidemark_contract.argv import GUARD, Job
from tidemark_contract.names import dag_id, pool_name, silver_alias
from tidemark_contract.outlines import Outline
from tidemark_orchestration.dag import build
from tidemark_orchestration.news import GuardOperator
from tidemark_orchestration.operators import JobOperator

SYNC_EVERY = timedelta(minutes=5)
GUARD_EVERY = timedelta(minutes=5)


def sync_dag(source: Outline) -> DAG:
    """Bring silver to a new mark; one asset per table that is in it, published with the mark.

    The tables are behind an alias: which they are is known when the mark is.
    """
    doc = f"Bring the silver tables of **{source.name}** to a new mark, and publish it.\n\n{source.description}"
    with _dag(source, "sync", doc, SYNC_EVERY, ends_in=timedelta(minutes=30)) as dag:
        JobOperator(
            task_id="sync",
            job=Job("sync", source.name),
            specs=source.specs,
            outlets=[AssetAlias(silver_alias(source.name))],
            pool=pool_name(source.name),
            execution_timeout=timedelta(hours=1),
        )
    return dag


def guard_dag(source: Outline) -> DAG:
    """Look after the stream, beside all that writes: it touches nothing in the lake."""
    doc = (
        f"Bring the stream of **{source.name}** back when it was killed; tell what it costs its source.\n\n"
        "A stream that a person has stopped stays so: `docs/orchestration.md#the-guard`."
    )
    with _dag(source, GUARD, doc, GUARD_EVERY, ends_in=timedelta(minutes=30)) as dag:
        GuardOperator(
            task_id=GUARD,
            job=Job(GUARD, source.name),
            specs=source.specs,
            execution_timeout=timedelta(minutes=10),
        )
    return dag


def verify_dag(source: Outline) -> DAG:
    """Prove all tables once a day. It waits for a sync where one runs: it needs no place in the pool."""
    doc = f"Prove every table of **{source.name}** equal to the source, at a mark of its own.\n\n{source.description}"
    with _dag(source, "verify", doc, "@daily", ends_in=timedelta(hours=12)) as dag:
        JobOperator(
            task_id="verify",
            job=Job("verify", source.name),
            specs=source.specs,
            execution_timeout=timedelta(hours=8),
        )
    return dag


def maintain_dag(source: Outline) -> DAG:
    """Compact and vacuum once a day, when nothing else writes."""
    doc = f"Compact the small files of **{source.name}**, and remove what no kept mark needs.\n\n{source.description}"
    with _dag(source, "maintain", doc, "@daily", ends_in=timedelta(hours=12)) as dag:
        JobOperator(
            task_id="maintain",
            job=Job("maintain", source.name),
            specs=source.specs,
            pool=pool_name(source.name),
            execution_timeout=timedelta(hours=4),
        )
    return dag


def copy_dag(source: Outline) -> DAG:
    """Copy tables, and sync until they are in a mark, when a person wants it."""
    doc = (
        f"Copy tables of **{source.name}** again, and publish a mark with them.\n\n"
        "The mirror goes on meanwhile. For tables that `status` calls new or stale; the reason is kept with the run."
    )
    tables = Param(
        [], type="array", items={"type": "string"}, title="Tables", description="as status names them; none: all"
    )
    params = {"tables": tables, "reason": Param(type="string", minLength=3, title="Why")}
    # Native: the list of tables stays one.
    facts = {"params": params, "render_template_as_native_obj": True}
    with _dag(source, "copy", doc, None, ends_in=timedelta(hours=26), **facts) as dag:
        copy = JobOperator(
            task_id="copy",
            job=Job("copy", source.name),
            specs=source.specs,
            tables="{{ params.tables }}",
            execution_timeout=timedelta(hours=24),
        )
        sync = JobOperator(
            task_id="sync",
            job=Job("sync", source.name),
            specs=source.specs,
            pool=pool_name(source.name),
            execution_timeout=timedelta(hours=1),
        )
        copy >> sync
    return dag


def _dag(source: Outline, kind: str, doc: str, schedule: object, *, ends_in: timedelta, **facts: Any) -> DAG:
    name, tags = dag_id(kind, source.name), [source.name, kind]
    return build(name, doc=doc, owner=source.owner, schedule=schedule, ends_in=ends_in, tags=tags, **facts)


def mirror_dags(source: Outline) -> Sequence[DAG]:
    """Give all of them."""
    return [sync_dag(source), guard_dag(source), verify_dag(source), maintain_dag(source), copy_dag(source)]
