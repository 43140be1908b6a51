"""How much work there is: what Airflow's REST API says of one queue."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests

PASSWORD = "TIDEMARK_SCALER_PASSWORD_FILE"
_TIMEOUT_S = 30


@dataclass
class Work:
    """The tasks of one queue; the login needs to read task instances, and nothing else."""

    address: str
    user: str
    password: str = field(repr=False)
    queue: str = "default"
    _token: str = field(default="", repr=False)

    def tasks(self) -> int:
        """Count what is queued and what runs."""
        answer = self._get()
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._token = self._login()
            answer = self._get()
        answer.raise_for_status()
        return int(answer.json()["total_entries"])

    def _get(self) -> requests.Response:
        words: dict[str, Any] = {"state": ["queued", "running"], "queue": self.queue, "limit": 1}
        return requests.get(
            f"{self.address}/api/v2/dags/~/dagRuns/~/taskInstances",
            params=words,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=_TIMEOUT_S,
        )

    def _login(self) -> str:
        login = {"username": self.user, "password": self.password}
        answer = requests.post(f"{self.address}/auth/token", json=login, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return str(answer.json()["access_token"])
