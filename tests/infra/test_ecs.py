"""Airflow on ECS is Airflow as Compose has it: the same words, health, and what each is let know."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from moto.ecs import models as moto_ecs
from moto.ecs import responses as moto_responses
from moto.moto_api import state_manager
from moto.server import ThreadedMotoServer

from infra.deploy import prepare
from infra.deploy.environment import NotDeployable
from infra.deploy.stack import Prepare, Stack
from tests.infra.emulators import REGION, Aws
from tests.infra.terraform import REPOSITORY
from tests.infra.test_apply import client

NAME = "tidemark-ecs"
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


@dataclass(frozen=True)
class Cluster:
    """A stack on ECS, as far as `prepare` knows of it; moto runs nothing, and ends a task by looks at it."""

    stack: Stack
    client: Any

    def started(self) -> list[dict[str, Any]]:
        tasks = self.client.list_tasks(cluster=NAME)["taskArns"]
        return list(self.client.describe_tasks(cluster=NAME, tasks=tasks)["tasks"]) if tasks else []


@pytest.fixture
def on_ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in Aws(endpoint, {}).environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(prepare, "LOOK_EVERY_S", 0.01)
    requests.post(f"{endpoint}/moto-api/reset", timeout=60).raise_for_status()
    ec2, ecs = client(endpoint, "ec2"), client(endpoint, "ecs")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    ecs.create_cluster(clusterName=NAME)
    container = {"name": "prepare", "image": "airflow", "memory": 512}
    defined = ecs.register_task_definition(family=f"{NAME}-prepare", containerDefinitions=[container])
    task = defined["taskDefinition"]["taskDefinitionArn"]
    names = ("sources", "jobs", "plain_dags", "airflow", "buckets", "images", "metadata")
    nothing: dict[str, Any] = {**dict.fromkeys(names, ()), "cluster": ""}
    wanted = (Prepare(NAME, task, (subnet["SubnetId"],), group),)
    yield Cluster(Stack(name=NAME, platform="ecs", settings={"AWS_REGION": REGION}, prepare=wanted, **nothing), ecs)
    server.stop()


def test_prepare_is_run_to_its_end(on_ecs: Cluster) -> None:
    prepare.run(on_ecs.stack, 60)
    [task] = on_ecs.started()
    assert (f"{NAME}-prepare:1", "STOPPED") == (task["taskDefinitionArn"].rpartition("/")[2], task["lastStatus"])


def test_a_prepare_that_failed_is_told_with_where_its_words_are(
    on_ecs: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moto_ecs.Container, "exitCode", property(lambda _: 78, lambda *_: None), raising=False)
    said = property(lambda _: "Essential container in task exited", lambda *_: None)
    monkeypatch.setattr(moto_ecs.Task, "stopped_reason", said, raising=False)
    with pytest.raises(NotDeployable, match=rf"prepare: it ended with 78; .* log group /{NAME}/airflow/prepare"):
        prepare.run(on_ecs.stack, 60)


def test_a_prepare_that_does_not_end_or_begin_is_told(on_ecs: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "LOOK_EVERY_S", 1)
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 100})
    try:
        with pytest.raises(NotDeployable, match="has not ended within 2 s; PATIENCE= waits longer"):
            prepare.run(on_ecs.stack, 2)
    finally:
        state_manager.unset_transition("ecs::task")
    refused = {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
    monkeypatch.setattr(moto_responses.EC2ContainerServiceResponse, "run_task", lambda _: json.dumps(refused))
    with pytest.raises(NotDeployable, match="was not started: RESOURCE:MEMORY"):
        prepare.run(on_ecs.stack, 2)
