"""The platform as it runs: what a worker sees, who gets in, and what stands in the way of nothing else."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.compose.platform import AIRFLOWS, SERVICES, Platform

PATIENCE_S = 300.0
OURS = ["copy_shop", "guard_shop", "maintain_shop", "sync_shop", "verify_shop"]
pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.timeout(1200)]


def look_around(platform: Platform) -> tuple[dict[str, object], str]:
    """Run the test's DAG; give what its task has seen, and what its log says."""
    api = platform.api
    api.wait_for_dag("look_around", lambda _: None, PATIENCE_S)
    api.unpause("look_around")
    run = api.trigger("look_around")
    api.wait("look_around", run, lambda _: None, PATIENCE_S)
    task = f"/api/v2/dags/look_around/dagRuns/{run}/taskInstances/look"
    seen = api._authorized("GET", f"{task}/xcomEntries/return_value")["value"]
    tries = api._authorized("GET", task)["try_number"]
    log = api._authorized("GET", f"{task}/logs/{tries}")
    return seen if isinstance(seen, dict) else json.loads(seen), json.dumps(log)


def test_a_dag_runs_through_the_queue_on_a_worker_that_knows_no_database(platform: Platform) -> None:
    seen, log = look_around(platform)

    with platform.container("worker") as worker:
        assert worker.id.startswith(seen["host"])
    assert (["api-key", "queue-password"], []) == (seen["secrets"], seen["database"])
    assert ["redis", "execution"] == seen["found"]
    assert [int(platform.settings["AIRFLOW_UID"]), 0] == seen["user"]
    assert "Done. Returned value was" in log, "the log was not read from the worker"
    assert not [secret for secret in platform.secrets if secret in log]


def test_our_dags_are_there_and_a_broken_file_is_said_to_be_one(platform: Platform) -> None:
    api = platform.api
    api.wait_for_dag("look_around", lambda _: None, PATIENCE_S)
    api.wait_for_dag("sync_shop", lambda _: None, PATIENCE_S)

    assert OURS == sorted(api.dags_of("shop"))
    (problem,) = api._authorized("GET", "/api/v2/importErrors")["import_errors"]
    assert problem["filename"].endswith("broken.py")
    assert "expected ':'" in problem["stack_trace"]


def test_what_is_prepared_twice_at_once_and_again_is_as_it_was(platform: Platform) -> None:
    before = platform.api._authorized("GET", "/api/v2/pools")["pools"]
    words = ("run", "--rm", "--no-deps", "-T", "init")

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: platform.compose(*words, check=False), range(2)))

    assert [0, 0] == [outcome.code for outcome in outcomes], outcomes
    assert {"default_pool", "shop_writer"} == {pool["name"] for pool in before}
    assert before == platform.api._authorized("GET", "/api/v2/pools")["pools"]
    users = platform.api._authorized("GET", "/auth/fab/v1/users")["users"]
    assert [("admin", ["Admin"])] == [(user["username"], [role["name"] for role in user["roles"]]) for user in users]


def test_nobody_gets_in_without_a_login(platform: Platform) -> None:
    flower = f"http://127.0.0.1:{platform.overrides['TIDEMARK_FLOWER_PORT']}"
    refused = []
    for address in (f"{platform.api.address}/api/v2/dags", f"{flower}/", f"{flower}/api/workers"):
        with pytest.raises(HTTPError) as refusal:
            urlopen(Request(address))
        refusal.value.close()
        refused.append(refusal.value.code)

    assert [HTTPStatus.UNAUTHORIZED] * 3 == refused


def test_no_secret_is_in_an_environment_an_argv_or_a_log(platform: Platform) -> None:
    assert len(platform.secrets) == 7
    seen = [platform.compose("logs").said]
    for name in (*SERVICES, "init"):
        with platform.container(name) as container:
            seen.append(json.dumps(container.attrs["Config"]))
            seen += [json.dumps(container.top(ps_args="-eo pid,args"))] if container.status == "running" else []

    assert not [secret for secret in platform.secrets for text in seen if secret in text]


def test_what_airflow_writes_belongs_to_its_uid_and_the_settings_to_their_owner(platform: Platform) -> None:
    uid = int(platform.settings["AIRFLOW_UID"])
    written = list((platform.home / "logs").rglob("*"))

    assert written
    assert {uid} == {file.stat().st_uid for file in written}
    assert {uid} == {(platform.home / name).stat().st_uid for name in ("logs", "dags", "plugins", "config")}
    settings = (platform.home / ".env").stat()
    assert (0o600, os.getuid()) == (stat.S_IMODE(settings.st_mode), settings.st_uid)
    assert not [name for name in AIRFLOWS if platform.run_in(name, ["touch", "/opt/airflow/config/written"]).code == 0]
