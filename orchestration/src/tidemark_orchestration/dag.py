"""What all DAGs have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from tidemark_orchestration.access import dag_access
from tidemark_orchestration.notify import on_failure, tell_of_delay

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIES = {
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def build(
    name: str,
    *,
    doc: str,
    owner: str,
    schedule: Any,
    ends_in: timedelta,
    tags: list[str],
    for_analysts: bool = False,
    **facts: Any,
) -> DAG:
    """Give an empty DAG: one run at a time, none for the past; who has to know is told when one fails or is late.

    `doc` begins with the line that is its description. The owner's role may run it, and analysts where that is said.
    """
    dag = DAG(
        dag_id=name,
        schedule=schedule,
        doc_md=doc,
        description=doc.partition("\n")[0].replace("**", ""),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        deadline=_deadline(name, ends_in),
        default_args={"owner": owner or "tidemark", "on_failure_callback": on_failure(), **RETRIES},
        tags=["tidemark", *tags],
        **facts,
    )
    # Not by the constructor, which warns: Airflow 4 will have another way, 3.3 has no other.
    dag.access_control = dag_access(owner, for_analysts=for_analysts)
    return dag


def _deadline(name: str, ends_in: timedelta) -> DeadlineAlert:
    told = SyncCallback(tell_of_delay, {"name": name, "after": str(ends_in)})
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=ends_in, callback=told)
