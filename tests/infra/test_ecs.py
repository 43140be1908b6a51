"""Airflow on ECS is Airflow as Compose has it: the same words, health, and what each is let know."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.terraform import REPOSITORY

MODULE = REPOSITORY / "infra/terraform/modules/airflow-ecs"
# What is called otherwise, and what is Compose's or ECS's own: Redis has a password there, for there is no TLS, and a
# scaler here, whose login `prepare` makes.
OWN = {"queue-password", "scaler-password"}
NAMES = {"api-server": "pages", "init": "prepare"}
ALIKE = ("api-server", "execution", "scheduler", "dag-processor", "triggerer", "worker", "init")


@pytest.mark.parametrize("service", ALIKE)
def test_a_service_is_that_of_compose(service: str) -> None:
    here, there = ours()[NAMES.get(service, service)], composed()[service]
    assert there["command"] == here["command"]
    assert set(there["secrets"]) - OWN == set(here["secrets"]) - OWN
    if service != "init":
        kind, *words = there["healthcheck"]["test"]
        expected = words if kind == "CMD" else ["sh", "-c", words[0].replace("$$", "$")]
        assert expected == here["health"]


def test_nothing_of_compose_is_missing() -> None:
    """Its database and queue are AWS's here, and Flower and what keeps metrics are for one host."""
    assert set(ALIKE) == set(composed()) - {"postgres", "redis", "flower", "metrics"}
    assert {"scaler", "carrier"} == set(ours()) - {NAMES.get(service, service) for service in ALIKE}


def test_whoever_needs_the_password_of_the_scalers_login_is_told_where_it_is() -> None:
    """Itself, and `prepare`, which makes the login: nobody else does."""
    told = {name for name, service in ours().items() if "scaler" in service["settings"]}
    assert {"scaler", "prepare"} == told
    assert told == {name for name, service in ours().items() if "scaler-password" in service["secrets"]}


def test_a_secret_is_a_file_before_airflow_begins_and_in_no_environment(tmp_path: Path) -> None:
    """The words that every container begins with, run by a shell."""
    told = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "TIDEMARK_SECRETS_IN": str(tmp_path / "secrets"),
        "TIDEMARK_SECRETS_NAMED": "fernet-key database-password",
        "TIDEMARK_SECRET_FERNET_KEY": "one two  three",
        "TIDEMARK_SECRET_DATABASE_PASSWORD": "$HOME'\"\\",
    }
    entry = tmp_path / "entrypoint.sh"
    entry.write_text('#!/bin/sh\nenv\necho "words: $*"\n')
    entry.chmod(0o755)
    command = ["sh", "-c", (MODULE / "begin.sh").read_text(), "begin", "api-server", "--apps", "core"]
    said = subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout
    assert "words: api-server --apps core" in said
    assert "TIDEMARK_SECRET_" not in said
    files = sorted((tmp_path / "secrets").iterdir())
    assert ["$HOME'\"\\", "one two  three"] == [file.read_text() for file in files]
    assert {0o600} == {file.stat().st_mode & 0o777 for file in files}


def test_a_secret_that_is_missing_ends_it_before_airflow_begins(tmp_path: Path) -> None:
    told = {"PATH": "/usr/bin:/bin", "TIDEMARK_SECRETS_IN": str(tmp_path / "s"), "TIDEMARK_SECRETS_NAMED": "api-key"}
    ended = subprocess.run(["sh", "-c", (MODULE / "begin.sh").read_text(), "begin", "x"], env=told, check=False)
    assert ended.returncode != 0


def ours() -> dict[str, Any]:
    return dict(yaml.safe_load((MODULE / "services.yaml").read_text()))


def composed() -> dict[str, Any]:
    return dict(yaml.safe_load((REPOSITORY / "infra/compose/compose.yaml").read_text())["services"])
