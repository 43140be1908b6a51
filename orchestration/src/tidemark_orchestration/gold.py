"""The DAGs of the marts: each is built when all silver tables that it reads have a new mark."""

from collections.abc import Sequence
from datetime import timedelta

from airflow.sdk import DAG, AssetAlias, Param

from tidemark_contract.argv import Job
from tidemark_contract.marts import INPUTS, marts_of
from tidemark_contract.names import dag_id, gold_alias
from tidemark_contract.outlines import Outline
from tidemark_orchestration.assets import mart_asset, silver_asset
from tidemark_orchestration.dag import build
from tidemark_orchestration.operators import JobOperator


def gold_dags(source: Outline) -> Sequence[DAG]:
    """Give one DAG for each mart of the source, and one by which a person builds some anew."""
    marts = marts_of(source.paths)
    return [*(_gold_dag(source, mart) for mart in marts), *([_backfill_dag(source, marts)] if marts else [])]


def _gold_dag(source: Outline, mart: str) -> DAG:
    doc = f"Build the mart **{mart}** from all its tables at one mark of {source.name}."
    # Two sources may have the same tables, and Airflow keeps one DAG of a name.
    name = dag_id("gold", f"{source.name}_{mart}")
    schedule = [silver_asset(source.name, table) for table in INPUTS[mart]]
    tags = [source.name, "gold"]
    with build(
        name,
        doc=doc,
        owner=source.owner,
        schedule=schedule,
        ends_in=timedelta(hours=2),
        tags=tags,
        for_analysts=True,
    ) as dag:
        JobOperator(
            task_id="gold",
            job=Job("gold", source.name, tables=(mart,)),
            specs=source.specs,
            outlets=[mart_asset(source.name, mart)],
            execution_timeout=timedelta(hours=1),
        )
    return dag


def _backfill_dag(source: Outline, marts: Sequence[str]) -> DAG:
    doc = (
        f"Build marts of **{source.name}** anew from one mark, beside those that are there, and swap them in.\n\n"
        "For a mart that was built wrongly, or is wanted as of an older mark. The next mark builds it anew again: "
        "pause its own DAG to keep it. The reason is kept with the run."
    )
    chosen = Param(
        [],
        type="array",
        items={"type": "string"},
        examples=list(marts),
        title="Marts",
        description="none: all that were built",
    )
    mark = Param(None, type=["null", "integer"], minimum=1, title="Mark", description="none: the newest")
    params = {"marts": chosen, "mark": mark, "reason": Param(type="string", minLength=3, title="Why")}
    with build(
        dag_id("backfill_gold", source.name),
        doc=doc,
        owner=source.owner,
        schedule=None,
        ends_in=timedelta(hours=6),
        tags=[source.name, "gold"],
        for_analysts=True,
        params=params,
        render_template_as_native_obj=True,
    ) as dag:
        JobOperator(
            task_id="backfill",
            job=Job("backfill", source.name),
            specs=source.specs,
            tables="{{ params.marts }}",
            mark="{{ params.mark }}",
            asset_of=mart_asset,
            outlets=[AssetAlias(gold_alias(source.name))],
            execution_timeout=timedelta(hours=4),
        )
    return dag
