"""The DAGs of the marts: each is built when all silver tables that it reads have a new mark."""

from collections.abc import Sequence
from datetime import timedelta

from airflow.sdk import DAG

from tidemark_contract.argv import Job
from tidemark_contract.marts import INPUTS, marts_of
from tidemark_contract.names import dag_id
from tidemark_contract.outlines import Outline
from tidemark_orchestration.assets import mart_asset, silver_asset
from tidemark_orchestration.dag import build
from tidemark_orchestration.operators import JobOperator


def gold_dags(source: Outline) -> Sequence[DAG]:
    """Give one DAG for each mart of the source."""
    return [_gold_dag(source, mart) for mart in marts_of(source.paths)]


def _gold_dag(source: Outline, mart: str) -> DAG:
    doc = f"Build the mart **{mart}** from all its tables at one mark of {source.name}."
    # Two sources may have the same tables, and Airflow keeps one DAG of a name.
    name = dag_id("gold", f"{source.name}_{mart}")
    schedule = [silver_asset(source.name, table) for table in INPUTS[mart]]
    tags = [source.name, "gold"]
    with build(name, doc=doc, owner=source.owner, schedule=schedule, ends_in=timedelta(hours=2), tags=tags) as dag:
        JobOperator(
            task_id="gold",
            job=Job("gold", source.name, tables=(mart,)),
            outlets=[mart_asset(source.name, mart)],
            execution_timeout=timedelta(hours=1),
        )
    return dag
