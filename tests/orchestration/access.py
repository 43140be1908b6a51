"""docs/access.md: who may do what, as the tests ask it of a running Airflow; `make docs` renders it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# The people of the table; the engineer is one of the owner of shop.
PEOPLE = {
    "Admin": ("Admin",),
    "Op": ("Op",),
    "Engineer": ("Engineer", "owner:sales-data"),
    "Analyst": ("Analyst",),
    "Viewer": ("Viewer",),
}
ALL, OWN, MARTS, NONE = "all", "own", "marts", ""
# What each DAG is to them, and one of its tasks.
DAGS = {
    "sync_shop": ({OWN}, "sync"),
    "gold_shop_pricing_summary": ({OWN, MARTS}, "gold"),
    "sync_crm": (set[str](), "sync"),
    "platform_hygiene": (set[str](), "delete_logs"),
}
# The only one that is really deleted: it comes back when its file is parsed again.
VICTIM = "verify_attic"
LET_IN = {200, 204, 404, 422}


@dataclass(frozen=True)
class Verb:
    """A request that changes nothing when it is let in, and on which DAGs each of the people may do it."""

    words: str
    method: str
    path: str
    may: tuple[str, str, str, str, str]
    body: Any = None

    @property
    def deletes(self) -> bool:
        return self.method == "DELETE" and self.path.endswith("{dag}")

    def allows(self, person: str, dag: str = "") -> bool:
        cell = dict(zip(PEOPLE, self.may, strict=True))[person]
        return cell == ALL or (bool(dag) and cell in DAGS[dag][0])


_DAG, _RUN = "/api/v2/dags/{dag}", "/api/v2/dags/{dag}/dagRuns/none"
_TASK = _RUN + "/taskInstances/{task}"
_SEES, _WORKS, _RUNS, _KEEPS = (
    (ALL, ALL, OWN, ALL, ALL),
    (ALL, ALL, OWN, NONE, NONE),
    (ALL, ALL, OWN, MARTS, NONE),
    (ALL, ALL, NONE, NONE, NONE),
)
_EVERYBODY, _ADMIN = (ALL, ALL, ALL, ALL, ALL), (ALL, NONE, NONE, NONE, NONE)

ON_A_DAG = (
    Verb("see the DAG", "GET", _DAG, _SEES),
    Verb("read its code", "GET", "/api/v2/dagSources/{dag}", _SEES),
    Verb("see its runs", "GET", f"{_DAG}/dagRuns", _SEES),
    Verb("read a task's log", "GET", f"{_TASK}/logs/1", _SEES),
    Verb("read a task's result", "GET", f"{_TASK}/xcomEntries/return_value", _SEES),
    Verb("run it", "POST", f"{_DAG}/dagRuns", _RUNS, {}),
    Verb("run it for the past (a backfill of Airflow's)", "POST", "/api/v2/backfills", _RUNS, {"dag_id": "{dag}"}),
    Verb("pause it, let it run", "PATCH", _DAG, _RUNS, {"is_paused": "perhaps"}),
    Verb("clear tasks", "POST", f"{_DAG}/clearTaskInstances", _WORKS, {"dry_run": True}),
    Verb("mark a task", "PATCH", _TASK, _WORKS, {"new_state": "success"}),
    Verb("clear a run", "POST", f"{_RUN}/clear", _WORKS, {"dry_run": True}),
    Verb("mark a run", "PATCH", _RUN, _WORKS, {"state": "failed"}),
    Verb("delete a run", "DELETE", _RUN, _WORKS),
    Verb("write a task's result", "POST", f"{_TASK}/xcomEntries", _KEEPS, {"key": "a", "value": 1}),
    Verb("delete the DAG's history", "DELETE", _DAG, _KEEPS),
)
ON_ALL = (
    Verb("see assets and their marks", "GET", "/api/v2/assets", _EVERYBODY),
    Verb("write an asset's event", "POST", "/api/v2/assets/events", _KEEPS, {}),
    Verb("see pools", "GET", "/api/v2/pools", _EVERYBODY),
    Verb("make a pool", "POST", "/api/v2/pools", _KEEPS, {}),
    Verb("edit a pool", "PATCH", "/api/v2/pools/none", _KEEPS, {}),
    Verb("delete a pool", "DELETE", "/api/v2/pools/none", _KEEPS),
    Verb("see connections", "GET", "/api/v2/connections", _KEEPS),
    Verb("make a connection", "POST", "/api/v2/connections", _KEEPS, {}),
    Verb("edit a connection", "PATCH", "/api/v2/connections/none", _KEEPS, {}),
    Verb("delete a connection", "DELETE", "/api/v2/connections/none", _KEEPS),
    Verb("see variables", "GET", "/api/v2/variables", _KEEPS),
    Verb("make a variable", "POST", "/api/v2/variables", _KEEPS, {}),
    Verb("edit a variable", "PATCH", "/api/v2/variables/none", _KEEPS, {}),
    Verb("delete a variable", "DELETE", "/api/v2/variables/none", _KEEPS),
    Verb("see plugins and providers", "GET", "/api/v2/plugins", _KEEPS),
    Verb("see import errors", "GET", "/api/v2/importErrors", _EVERYBODY),
    Verb("read the configuration", "GET", "/api/v2/config", (NONE,) * 5),
    Verb("read the audit log", "GET", "/api/v2/eventLogs", _ADMIN),
    Verb("see people", "GET", "/auth/fab/v1/users", _ADMIN),
    Verb("make people", "POST", "/auth/fab/v1/users", _ADMIN, {}),
    Verb("see roles", "GET", "/auth/fab/v1/roles", _ADMIN),
    Verb("make roles", "POST", "/auth/fab/v1/roles", _ADMIN, {}),
)
HEAD = """# Who may do what

Each cell is asked of a running Airflow through its REST API, by `tests/orchestration/test_access.py`; `make docs`
renders it. What the roles are for, and how people get them: [orchestration.md](orchestration.md#who-may-do-what).
**own**: on the DAGs whose owner's role they have too (`owner:…`); **marts**: on `gold_…` and `backfill_gold_…`; –:
refused with 403. Without a login everything is refused with 401 but the version, the health, and the login itself.

"""


def page() -> Iterator[str]:
    """Give the lines of the page."""
    yield from HEAD.splitlines()
    yield f"| on a DAG | {' | '.join(PEOPLE)} |"
    yield "|---" * (len(PEOPLE) + 1) + "|"
    yield from (f"| {verb.words} | {_cells(verb, 'all')} |" for verb in ON_A_DAG)
    yield ""
    yield f"| on the whole | {' | '.join(PEOPLE)} |"
    yield "|---" * (len(PEOPLE) + 1) + "|"
    yield from (f"| {verb.words} | {_cells(verb, 'yes')} |" for verb in ON_ALL)


def _cells(verb: Verb, yes: str) -> str:
    return " | ".join({ALL: yes, NONE: "–"}.get(cell, cell) for cell in verb.may)


if __name__ == "__main__":
    print("\n".join(page()))
