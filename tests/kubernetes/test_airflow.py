"""Airflow on a real Kubernetes: its chart, a database of the test's namespace, and a run whose tasks are pods."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest

from tests.kubernetes.cluster import ROOT, wait_for
from tests.kubernetes.shop import Shop

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(3600)]

IMAGE, WITH_DAG = "tidemark-airflow:test", "tidemark-airflow:test-dags"
DAGS = Path(__file__).parent / "dags"
FEW = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1536Mi"}}
SERVICES = ("scheduler", "apiServer", "execution", "dagProcessor", "triggerer")


def build() -> None:
    """Build the image, and on it one with the DAG of this test."""
    dockerfile = ["--file", str(ROOT / "infra/images/airflow/Dockerfile")]
    subprocess.run(["docker", "build", "--quiet", "--tag", IMAGE, *dockerfile, str(ROOT)], check=True, timeout=1800)
    added = f"FROM {IMAGE}\nCOPY pods.py /opt/tidemark/dags/\n"
    argv = ["docker", "build", "--quiet", "--tag", WITH_DAG, "--file", "-", str(DAGS)]
    subprocess.run(argv, input=added, text=True, check=True, timeout=600)


def values(shop: Shop) -> dict[str, Any]:
    repository, tag = WITH_DAG.split(":")
    namespace = shop.cluster.namespace
    return {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "database": {"host": f"postgres.{shop.outside.namespace}.svc.cluster.local"},
        "env": {
            "TIDEMARK_TEST_IMAGE": WITH_DAG,
            "TIDEMARK_TEST_NAMESPACE": namespace,
            # They are looked at afterwards.
            "AIRFLOW__KUBERNETES_EXECUTOR__DELETE_WORKER_PODS": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        },
        "tasks": {"startIn": [namespace], "resources": FEW},
        "prepare": {"resources": FEW},
        **{name: {"replicas": 1, "resources": FEW} for name in SERVICES},
    }


@pytest.fixture(scope="module")
def airflow(shop: Shop) -> Iterator[Shop]:
    build()
    shop.cluster.load(WITH_DAG)
    password = secrets.token_urlsafe(24)
    shop.sql(f"CREATE ROLE airflow LOGIN PASSWORD '{password}'", "postgres", "postgres")
    shop.sql("CREATE DATABASE airflow OWNER airflow", "postgres", "postgres")
    keys = {name: secrets.token_urlsafe(32) for name in ("jwt-secret", "api-key", "admin-password")}
    keys |= {"database-password": password, "fernet-key": f"{secrets.token_urlsafe(32)}="}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "airflow"}, "stringData": keys}
    shop.cluster.apply(secret)
    with helm.Config(kubeconfig_path=shop.cluster.kubeconfig, namespace=shop.cluster.namespace) as config:
        config.install(
            ROOT / "infra/helm/airflow", "airflow", values(shop), namespace=shop.cluster.namespace, timeout=1800
        )
        yield shop
        config.uninstall("airflow")


def cli(airflow: Shop, *words: str, check: bool = True) -> str:
    return airflow.cluster.kubectl("exec", "deploy/airflow-scheduler", "--", "airflow", *words, check=check)


def pods(airflow: Shop, selector: str) -> list[str]:
    return [pod["status"]["phase"] for pod in airflow.cluster.pods(f"dag_id=pods,{selector}")]


def states(airflow: Shop) -> dict[str, str]:
    said = cli(airflow, "tasks", "states-for-dag-run", "pods", "one", "--output", "json", check=False)
    lines = [line for line in said.splitlines() if line.startswith("[")]
    return {str(task["task_id"]): str(task["state"]) for task in json.loads(lines[-1])} if lines else {}


def ended(airflow: Shop) -> dict[str, str]:
    found = states(airflow)
    return found if found and set(found.values()) <= {"success", "failed", "upstream_failed"} else {}


def test_a_run_whose_tasks_are_pods_ends_well(airflow: Shop) -> None:
    run_pods(airflow, *(f"deploy/airflow-{name}" for name in ("api-server", "execution", "dag-processor", "triggerer")))


def run_pods(airflow: Shop, *services: str) -> None:
    """Wait until a scheduler and these run, and for the end of a run of the DAG."""
    for name in ("deploy/airflow-scheduler", *services):
        airflow.cluster.kubectl("rollout", "status", name, "--timeout=900s")
    parsed = lambda: "pods" in cli(airflow, "dags", "list", "--output", "plain", check=False)  # noqa: E731
    wait_for(parsed, "the DAG", airflow.cluster.told)
    cli(airflow, "dags", "unpause", "pods", "--yes")
    cli(airflow, "dags", "trigger", "pods", "--run-id", "one")

    found = wait_for(lambda: ended(airflow), "the run's end", airflow.cluster.told)

    assert {"here": "success", "there": "success"} == found
    # A task has ended a little before its pod.
    for selector in (*(f"task_id={task},kubernetes_executor=True" for task in found), "kubernetes_pod_operator=True"):
        over = lambda selector=selector: ["Succeeded"] == pods(airflow, selector)  # noqa: E731
        wait_for(over, f"the end of {selector}", airflow.cluster.told, within_s=120)
