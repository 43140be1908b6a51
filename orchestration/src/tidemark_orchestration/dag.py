"""What all DAGs have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from tidemark_orchestration.notify import on_failure, tell_of_delay

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIES = {
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def build(name: str, *, doc: str, owner: str, schedule: Any, ends_in: timedelta, tags: list[str], **facts: Any) -> DAG:
    """Give an empty DAG: one run at a time, none for the past; who has to know is told when one fails or is late.

    `doc` begins with the line that is its description.
    """
    return DAG(
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


def _deadline(name: str, ends_in: timedelta) -> DeadlineAlert:
    told = SyncCallback(tell_of_delay, {"name": name, "after": str(ends_in)})
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=ends_in, callback=told)
