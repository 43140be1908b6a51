"""Airflow's REST API, as far as this machine's console needs it: is it well, start a run, how did it end."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tidemark.output import CommandFailed, Failure
from tidemark_contract.errors import EXIT_FAILED

_SERVICES = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_ENDED = ("success", "failed")
_LOOK_EVERY_S = 1.0
_ANSWERS_IN_S = 30.0


@dataclass
class AirflowApi:
    """One Airflow; the password is never shown."""

    address: str
    user: str
    password: str = field(repr=False)
    _token: str = field(default="", repr=False)

    def healthy(self) -> bool:
        """Tell whether every service says so: the answer's status is 200 whatever they say."""
        try:
            found = self._call("GET", "/api/v2/monitor/health")
        except (OSError, HTTPException, ValueError):
            return False
        return all((found.get(name) or {}).get("status") == "healthy" for name in _SERVICES)

    def wait_for_dag(self, dag: str, say: Callable[[str], None], patience_s: float) -> None:
        """Wait until a DAG has been parsed."""
        self._until(lambda: self._found(f"/api/v2/dags/{dag}"), say, f"{dag} is not parsed yet", patience_s)

    def dags_of(self, source: str) -> list[str]:
        """Name the DAGs that have the source's tag."""
        found = self._authorized("GET", f"/api/v2/dags?tags={source}&limit=1000")
        return [str(dag["dag_id"]) for dag in found["dags"]]

    def is_paused(self, dag: str) -> bool:
        """Tell whether a DAG is kept from running."""
        return bool(self._authorized("GET", f"/api/v2/dags/{dag}")["is_paused"])

    def unpause(self, dag: str) -> None:
        """Let a DAG run: it is paused when it is first seen."""
        self._authorized("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def newest_run(self, dag: str, say: Callable[[str], None], patience_s: float) -> str:
        """Give the newest run of a DAG, once there is one."""
        path = f"/api/v2/dags/{dag}/dagRuns?order_by=-run_after&limit=1"
        runs = self._until(lambda: self._found(path).get("dag_runs"), say, f"{dag} has not run yet", patience_s)
        return str(runs[0]["dag_run_id"])

    def trigger(self, dag: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run; give its id."""
        body = {"logical_date": None, "conf": conf or {}}
        return str(self._authorized("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"])

    def wait(self, dag: str, run: str, say: Callable[[str], None], patience_s: float) -> None:
        """Wait until a run has succeeded; CommandFailed with the failed task's name when it has not."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}"
        ended = self._until(
            lambda: found if (found := self._found(path)).get("state") in _ENDED else {},
            say,
            f"{dag} has not ended yet",
            patience_s,
        )
        if ended["state"] != "success":
            raise _failed(f"{dag} failed: {self.address}/dags/{dag}/runs/{run}")

    def _until(self, look: Callable[[], Any], say: Callable[[str], None], without: str, patience_s: float) -> Any:
        deadline = time.monotonic() + patience_s
        while not (found := look()):
            say(without)
            if time.monotonic() > deadline:
                raise _failed(f"{without}, after {patience_s:.0f} s; see {self.address}")
            time.sleep(_LOOK_EVERY_S)
        return found

    def _found(self, path: str) -> dict[str, Any]:
        """Give what is there; empty for what is not."""
        try:
            return self._authorized("GET", path)
        except HTTPError as error:
            error.close()
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return {}

    def _authorized(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if not self._token:
            login = {"username": self.user, "password": self.password}
            self._token = str(self._call("POST", "/auth/token", login)["access_token"])
        return self._call(method, path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.address + path, data=data, headers=headers, method=method)
        with urlopen(request, timeout=_ANSWERS_IN_S) as answer:
            return dict(json.load(answer))


def _failed(message: str) -> CommandFailed:
    return CommandFailed(Failure("AirflowFailed", f"Airflow: {message}", EXIT_FAILED))
