"""Who may do what, asked of a running Airflow through REST; the table is tests/orchestration/access.py."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.orchestration.access import DAGS, LET_IN, ON_A_DAG, ON_ALL, PEOPLE, VICTIM, Verb, page
from tests.orchestration.airflow_services import ADMIN, REPOSITORY, Platform, wait_for

# What has to answer strangers: whether it lives, and where they log in.
PUBLIC = {
    ("get", "/api/v2/monitor/health", 200),
    ("get", "/api/v2/version", 200),
    ("get", "/api/v2/auth/login", 307),
    ("get", "/api/v2/auth/logout", 307),
    ("get", "/auth/logout", 307),
    ("post", "/auth/token", 422),
    ("post", "/auth/token/cli", 422),
    ("get", "/execution/health", 200),
    ("get", "/execution/health/ping", 200),
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(platform: Platform) -> dict[str, str]:
    """Give everybody's login, by what they are in the table."""
    logins = {person: person.lower() for person in PEOPLE if person != "Admin"}
    for person, login in logins.items():
        platform.add_user(login, PEOPLE[person])
    platform.wait_for_dags(*DAGS, VICTIM)
    return {"Admin": ADMIN, **logins}


def ask(platform: Platform, verb: Verb, login: str, dag: str = "", task: str = "") -> int:
    body = {name: dag if value == "{dag}" else value for name, value in verb.body.items()} if verb.body else verb.body
    return platform.ask(verb.method, verb.path.format(dag=dag, task=task), login, body).status_code


def expected(verb: Verb, person: str, dag: str = "") -> set[int]:
    return LET_IN if verb.allows(person, dag) else {403}


@pytest.mark.parametrize("verb", ON_A_DAG, ids=lambda verb: verb.words)
def test_on_each_dag_each_role_may_do_what_the_table_says(
    platform: Platform, people: dict[str, str], verb: Verb
) -> None:
    wrong = []
    for person, login in people.items():
        for dag, (_, task) in DAGS.items():
            asked = VICTIM if verb.deletes and verb.allows(person, dag) else dag
            status = ask(platform, verb, login, asked, task)
            wrong += [(person, dag, status)] if status not in expected(verb, person, dag) else []

    assert [] == wrong


@pytest.mark.parametrize("verb", ON_ALL, ids=lambda verb: verb.words)
def test_on_the_whole_each_role_may_do_what_the_table_says(
    platform: Platform, people: dict[str, str], verb: Verb
) -> None:
    statuses = {person: ask(platform, verb, login) for person, login in people.items()}

    assert {} == {person: status for person, status in statuses.items() if status not in expected(verb, person)}


def test_the_page_shows_the_table() -> None:
    assert "\n".join(page()) + "\n" == (REPOSITORY / "docs" / "access.md").read_text(encoding="utf-8")


def test_a_list_holds_only_what_one_may_see(platform: Platform, people: dict[str, str]) -> None:
    seen = platform.ask("GET", "/api/v2/dags?limit=100", people["Engineer"]).json()["dags"]

    assert {"shop"} == {tag["name"] for dag in seen for tag in dag["tags"]} & {"shop", "crm", "attic", "platform"}
    assert 7 == len(seen)


def endpoints(platform: Platform) -> Iterator[tuple[str, str, str]]:
    """Give what there is of the REST API, of FAB's, and of what tasks talk to, each with its server.

    The first two are documented by their server; that of the third gives no document when it runs alone.
    """
    from airflow.api_fastapi.execution_api.routes import execution_api_router

    for prefix in ("", "/auth"):
        document = requests.get(f"{platform.address}{prefix}/openapi.json", timeout=60).json()
        for path, methods in document["paths"].items():
            yield from ((platform.address, method, prefix + path) for method in methods)
    for route in execution_api_router.routes:
        for method in getattr(route, "methods", ()):
            yield platform.execution_address, method.lower(), f"/execution{getattr(route, 'path', '')}"


def test_without_a_login_nothing_is_told_but_how_to_log_in(platform: Platform) -> None:
    found = list(endpoints(platform))
    answers = set()
    for server, method, path in found:
        filled = server + re.sub(r"\{[^}]+\}", "00000000-0000-0000-0000-000000000000", path)
        status = requests.request(method, filled, allow_redirects=False, timeout=60).status_code
        answers |= {(method, path, status)} if status != 401 else set()

    assert len(found) > 140
    assert PUBLIC == answers


def test_roles_are_what_the_code_says_after_preparing_again(platform: Platform, people: dict[str, str]) -> None:
    for name in ("Sneaky", "owner:gone"):
        assert platform.ask("POST", "/auth/fab/v1/roles", body={"name": name, "actions": []}).ok
    viewer = platform.get("/auth/fab/v1/roles/Viewer")
    more = {"action": {"name": "can_edit"}, "resource": {"name": "Variables"}}
    assert platform.ask(
        "PATCH", "/auth/fab/v1/roles/Viewer", body={"name": "Viewer", "actions": [*viewer["actions"], more]}
    ).ok
    assert platform.ask("PATCH", "/api/v2/variables/none", people["Viewer"], {}).status_code == 422
    platform.prepare()

    roles = {role["name"] for role in platform.get("/auth/fab/v1/roles")["roles"]}
    assert {*PEOPLE, "User", "Public", "owner:sales-data", "owner:crm-team"} == roles
    assert platform.ask("PATCH", "/api/v2/variables/none", people["Viewer"], {}).status_code == 403
    assert platform.ask("GET", "/api/v2/dags/sync_shop", people["Engineer"]).ok


def test_a_source_that_loses_its_owner_is_the_owners_no_more(platform: Platform, people: dict[str, str]) -> None:
    def sees() -> bool:
        return platform.ask("GET", "/api/v2/dags/sync_attic", people["Engineer"]).ok

    assert not sees()
    platform.write_source("attic", "sales-data")
    wait_for(sees, platform.whole_story)
    platform.write_source("attic", "")
    wait_for(lambda: not sees(), platform.whole_story)
