"""Which task of Airflow's a job is the work of: by that it is found again, on the same worker or another."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidemark_contract.argv import Job

_DIGEST = 16


@dataclass(frozen=True)
class Work:
    """One try of a task. `first` is the try with which it began, anew since it was cleared; no state is kept for it."""

    key: str
    number: int
    first: int
    timeout: timedelta | None

    @classmethod
    def of(cls, job: Job, ti: Any, timeout: timedelta | None) -> "Work":
        """Read it from a running task: whoever clears one gives it as many tries again as it has retries."""
        task = json.dumps([ti.dag_id, ti.run_id, ti.task_id, ti.map_index])
        key = f"tidemark-{job.name}-{hashlib.sha256(task.encode()).hexdigest()[:_DIGEST]}"
        first = ti.max_tries - ti.task.retries + 1
        return cls(key, ti.try_number, min(max(first, 1), ti.try_number), timeout)

    @property
    def name(self) -> str:
        """Name what this try starts: the same for who begins it a second time, another one for the next try."""
        return self._name(self.number)

    @property
    def before(self) -> list[str]:
        """Name what earlier tries may have started."""
        return [self._name(number) for number in range(self.first, self.number)]

    def owns(self, name: str | None) -> bool:
        """Tell whether a job of that name is this task's."""
        return bool(name) and str(name).rpartition("-")[0] == self.key

    def _name(self, number: int) -> str:
        return f"{self.key}-{number}"
