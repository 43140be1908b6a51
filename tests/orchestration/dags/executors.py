"""A DAG whose tasks name their executors: an import error where the DAG processor knows none of that name."""

import os
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, BaseOperator


class Where(BaseOperator):
    """Give the name of the service that it runs in; that of a worker, for the others have none."""

    def execute(self, context: Any) -> str:
        return os.environ.get("WHERE", "")


with DAG("here_and_there", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    for where in ("CeleryExecutor", "here"):
        Where(task_id=where, executor=where)
