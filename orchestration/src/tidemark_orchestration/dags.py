"""The DAGs of a source, made from its specs."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from airflow.sdk.definitions.asset import Asset

from tidemark_contract.argv import Job
from tidemark_contract.marts import INPUTS, marts_of
from tidemark_contract.names import TableName, asset_uri, dag_id
from tidemark_contract.specs import SourceSpec
from tidemark_orchestration.operators import JobOperator

EVERY = timedelta(minutes=5)
_RETRIES = {
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def silver_asset(source: SourceSpec, table: TableName) -> Asset:
    """Give the asset that stands for one silver table."""
    uri = asset_uri(source.name, table)
    return Asset(uri=uri, name=uri)


def sync_dag(source: SourceSpec) -> DAG:
    """Sync, then verify; one asset per silver table, published with the mark it is exact at."""
    doc = (
        f"Bring the silver tables of **{source.name}** to a new mark, publish it, and prove it.\n\n{source.description}"
    )
    with _dag(source, dag_id("sync", source.name), schedule=EVERY, doc_md=doc) as dag:
        assets = [silver_asset(source, spec.table) for spec in source.tables]
        sync = JobOperator(
            task_id="sync", job=Job("sync", source.name), assets=assets, execution_timeout=timedelta(hours=1)
        )
        verify = JobOperator(task_id="verify", job=Job("verify", source.name), execution_timeout=timedelta(hours=4))
        sync >> verify
    return dag


def gold_dags(source: SourceSpec) -> list[DAG]:
    """One DAG per mart of the source, run when all silver tables that it reads have a new mark."""
    return [_gold_dag(source, mart) for mart in marts_of(source)]


def _gold_dag(source: SourceSpec, mart: str) -> DAG:
    schedule = [silver_asset(source, table) for table in INPUTS[mart]]
    doc = f"Build the mart **{mart}** from all its tables at one mark of {source.name}."
    # Two sources may have the same tables, and Airflow keeps one DAG of a name.
    with _dag(source, dag_id("gold", f"{source.name}_{mart}"), schedule=schedule, doc_md=doc) as dag:
        uri = f"tidemark://gold/{source.name}/{mart}"
        JobOperator(
            task_id="gold",
            job=Job("gold", source.name, tables=(mart,)),
            assets=[Asset(uri=uri, name=uri)],
            execution_timeout=timedelta(hours=1),
        )
    return dag


def _dag(source: SourceSpec, name: str, *, schedule: timedelta | list[Asset], doc_md: str) -> DAG:
    return DAG(
        dag_id=name,
        schedule=schedule,
        doc_md=doc_md,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": source.owner or "tidemark", **_RETRIES},
        tags=["tidemark", source.name],
        description=doc_md.partition("\n")[0].replace("**", ""),
    )
