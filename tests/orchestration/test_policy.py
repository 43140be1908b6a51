"""An Airflow that lets in who has not logged in is not started."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tidemark_contract.errors import ConfigurationError
from tidemark_orchestration import policy, prepare
from tidemark_orchestration.access import dag_access, owner_role

REPOSITORY = Path(__file__).parents[2]
HIDDEN = "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"
Start = Callable[[str], "subprocess.CompletedProcess[str]"]
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the file that FAB reads; nobody is let in by it yet."""
    file = tmp_path / "webserver_config.py"
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", FAB)
    monkeypatch.setenv("AIRFLOW__FAB__CONFIG_FILE", str(file))
    return file


def test_a_platform_with_logins_is_let_start(settings: Path) -> None:
    assert [] == list(policy.open_doors())
    settings.write_text(
        "AUTH_ROLE_PUBLIC = None\nAUTH_USER_REGISTRATION = True\nAUTH_USER_REGISTRATION_ROLE = 'Viewer'\n"
    )
    assert [] == list(policy.open_doors())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("AUTH_ROLE_PUBLIC = 'Admin'", "AUTH_ROLE_PUBLIC in .*webserver_config.py is 'Admin'.*who-may-do-what"),
        ("AUTH_ROLE_PUBLIC = 'Public'", "AUTH_ROLE_PUBLIC in .*webserver_config.py is 'Public'"),
        (
            "AUTH_USER_REGISTRATION = True; AUTH_USER_REGISTRATION_ROLE = 'Admin'",
            "AUTH_USER_REGISTRATION_ROLE in .*webserver_config.py is 'Admin'.*AUTH_ROLES_MAPPING",
        ),
    ],
)
def test_a_file_that_lets_strangers_in_is_refused_with_the_cure(settings: Path, line: str, said: str) -> None:
    settings.write_text(f"from flask import current_app\ncurrent_app.name\n{line}\n")

    with pytest.raises(ConfigurationError, match=said):
        policy.refuse_what_is_unsafe()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AIRFLOW__FAB__AUTH_ROLE_PUBLIC", "Viewer", r"AIRFLOW__FAB__AUTH_ROLE_PUBLIC\) is 'Viewer'"),
        (
            "AIRFLOW__CORE__AUTH_MANAGER",
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "for a developer's own machine: set it to .*FabAuthManager",
        ),
    ],
)
def test_a_setting_that_lets_strangers_in_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=said):
        policy.refuse_what_is_unsafe()


def test_nothing_is_prepared_behind_an_open_door(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text("AUTH_ROLE_PUBLIC = 'Admin'\n")
    (tmp_path / "password").write_text("secret")
    told = {"TIDEMARK_ADMIN_PASSWORD_FILE": str(tmp_path / "password"), "TIDEMARK_SPECS": str(tmp_path)}

    assert 78 == prepare.main(told)
    assert "AUTH_ROLE_PUBLIC" in capsys.readouterr().err


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Give the image's entry point itself, with what it starts in its place."""
    for name, words in {"dumb-init": "echo started", "python": f'exec "{sys.executable}" -W ignore "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{words}\n")
        (tmp_path / name).chmod(0o755)
    script = REPOSITORY / "infra" / "images" / "airflow" / "entrypoint.sh"

    def started(command: str) -> "subprocess.CompletedProcess[str]":
        words = ["sh", "-c", f'PATH={tmp_path}:$PATH exec sh "{script}" {command}']
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return started


def test_an_api_server_of_the_image_asks_first(settings: Path, start: Start) -> None:
    settings.write_text("AUTH_ROLE_PUBLIC = 'Admin'\n")
    refused, other = start("api-server"), start("scheduler")
    settings.write_text("")

    assert (78, "") == (refused.returncode, refused.stdout)
    assert "AUTH_ROLE_PUBLIC" in refused.stderr
    assert ["started\n"] * 2 == [other.stdout, start("api-server --workers 1").stdout]


def test_who_knows_the_queue_asks_first(monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    """Each by itself: neither has an API server to ask for it. A scheduler does not know where jobs run."""
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "sqs://")
    monkeypatch.setenv(HIDDEN, "86400")
    refused = [start("scheduler"), start("celery worker --concurrency 2")]
    monkeypatch.setenv(HIDDEN, "43200")
    scheduler, worker = start("scheduler"), start("celery worker")
    monkeypatch.setenv("TIDEMARK_LAUNCHER", "emr-serverless")

    assert [(78, "")] * 2 == [(each.returncode, each.stdout) for each in refused]
    assert [] == [each.stderr for each in refused if f"{HIDDEN} is '86400'" not in each.stderr]
    assert ("started\n", 78) == (scheduler.stdout, worker.returncode)
    assert "TIDEMARK_LAUNCHER is local" in worker.stderr
    assert ["started\n"] * 2 == [start("celery worker").stdout, start("triggerer").stdout]


def test_compose_opens_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is there a file in the image that would: FAB's own is read from the home, which starts empty."""
    services = yaml.safe_load((REPOSITORY / "infra" / "compose" / "compose.yaml").read_text())["services"]
    for facts in services.values():
        for name, value in facts.get("environment", {}).items():
            if name.startswith(("AIRFLOW__CORE__AUTH", "AIRFLOW__FAB__")):
                monkeypatch.setenv(name, value)
        assert [] == list(policy.open_doors())
    assert [] == list(REPOSITORY.glob("infra/**/webserver_config*"))


def test_an_owner_who_is_called_like_a_role_gets_no_more_than_others() -> None:
    assert ["owner:Admin"] == list(dag_access("Admin"))
    assert {} == dag_access("")
    with pytest.raises(ConfigurationError, match=r"owner 'aaa.* is too long for a role: 58 characters fit"):
        owner_role("a" * 59)


@pytest.mark.parametrize(
    ("hidden", "launcher", "said"),
    [
        ("86400", "emr", "is '86400': SQS takes up to 43200, .*; write 43200"),
        ("", "emr", "is '': SQS takes up to 43200"),
        ("43200", "local", "TIDEMARK_LAUNCHER is local: a copy may take a day"),
    ],
)
def test_a_queue_that_would_give_a_task_twice_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, hidden: str, launcher: str, said: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "sqs://")
    monkeypatch.setenv(HIDDEN, hidden)
    monkeypatch.setenv("TIDEMARK_LAUNCHER", launcher)

    with pytest.raises(ConfigurationError, match=said):
        policy.refuse_what_is_unsafe("celery")


def test_a_queue_that_hides_a_task_as_long_as_it_may_is_let_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "sqs://")
    monkeypatch.setenv(HIDDEN, "43200")
    monkeypatch.setenv("TIDEMARK_LAUNCHER", "emr-serverless")
    for service in policy.ASKED:
        policy.refuse_what_is_unsafe(service)
