"""`[celery] result_backend = tidemark_orchestration.s3_results:S3Results`: how tasks ended, on S3.

Celery's own backend cannot be asked for several at once, which Airflow's executor does.
"""

from collections.abc import Iterable
from typing import Any

from celery.backends.s3 import S3Backend


class S3Results(S3Backend):  # type: ignore[misc]  # Celery ships no types
    """One object for each message, as `s3_bucket` and `s3_base_path` say; a lifecycle rule removes them."""

    def mget(self, keys: Iterable[str | bytes]) -> list[Any]:
        """Read some; None for each that is not there."""
        return [self.get(key) for key in keys]
