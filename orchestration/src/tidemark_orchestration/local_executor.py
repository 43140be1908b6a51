"""Airflow's LocalExecutor, with secrets masked in what it repeats.

It says again on the scheduler's own output what each task says, and Airflow 3.3 masks secrets in the task's log only.
Celery's worker does not say it again.
"""

from typing import Any

import structlog
from airflow.executors.local_executor import LocalExecutor
from airflow.sdk.log import mask_logs


class MaskedLocalExecutor(LocalExecutor):  # type: ignore[misc, unused-ignore]
    """Run tasks as processes on this machine."""

    def start(self) -> None:
        """Mask before the last step, which writes; what is forked from here does so too."""
        before: list[Any] = list(structlog.get_config()["processors"])
        structlog.configure(processors=[*before[:-1], mask_logs, before[-1]])
        super().start()
