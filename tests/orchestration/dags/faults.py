"""DAGs whose tasks leave a line when they begin, and one when they end."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.triggers.file import FileTrigger
from airflow.sdk import DAG, BaseOperator

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIES = {"retries": 3, "retry_delay": timedelta(seconds=1)}


class Leave(BaseOperator):
    """Leave lines, and wait in between until a file is there."""

    def execute(self, context: Any) -> None:
        params, run, attempt = context["params"], context["run_id"], context["ti"].try_number
        leave(params["lines"], f"begin {run} {attempt}")
        while params["until"] and not Path(params["until"]).exists():
            time.sleep(0.1)
        leave(params["lines"], f"end {run} {attempt}")


class WaitElsewhere(BaseOperator):
    """Wait in the triggerer until a file is there."""

    def execute(self, context: Any) -> None:
        self.defer(trigger=FileTrigger(context["params"]["until"], poke_interval=0.5), method_name="go_on")

    def go_on(self, context: Any, event: object) -> None:
        """Come back, and have done it."""


def leave(file: str, line: str) -> None:
    """Append a line; whole, for it is short."""
    with Path(file).open("a") as lines:
        lines.write(line + "\n")


PARAMS = {"lines": "/dev/null", "until": ""}
with DAG("many", schedule=None, start_date=START, params=PARAMS, default_args=RETRIES, max_active_runs=16):
    Leave(task_id="leave")

with DAG("one_at_a_time", schedule=None, start_date=START, params=PARAMS, default_args=RETRIES, max_active_runs=1):
    Leave(task_id="leave")

with DAG("deferred", schedule=None, start_date=START, params=PARAMS, default_args=RETRIES):
    WaitElsewhere(task_id="wait") >> Leave(task_id="leave")
