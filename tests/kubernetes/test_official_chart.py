"""Airflow's own chart with our values and our image. No registry that tests ask has it: they are given one.

helm pull apache-airflow/airflow --version 1.22.0
TIDEMARK_AIRFLOW_CHART=$PWD/airflow-1.22.0.tgz make test-kubernetes
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from infra.deploy.charts import merged
from tests.kubernetes.charts import CHARTS, refusal
from tests.kubernetes.shop import Shop
from tests.kubernetes.test_airflow import WITH_DAG, build, run_pods

GIVEN = os.environ.get("TIDEMARK_AIRFLOW_CHART", "")
VALUES = yaml.safe_load((CHARTS / "airflow" / "official-values.yaml").read_text())
FEW = {"resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1536Mi"}}}
SERVICES = ("scheduler", "apiServer", "dagProcessor", "triggerer")
DAGS_FOLDER = "airflow.dag_processing.bundles.local.LocalDagBundle"

pytestmark = pytest.mark.skipif(not GIVEN, reason="TIDEMARK_AIRFLOW_CHART names no chart of Airflow's own")


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    with helm.Chart.load(Path(GIVEN)) as chart:
        texts = chart.render(values=VALUES, name="airflow", namespace="airflow")
    return [each for name, text in texts.items() if name.endswith("yaml") for each in yaml.safe_load_all(text) if each]


def test_a_cluster_would_take_all_of_it(documents: list[dict[str, Any]]) -> None:
    assert [] == [why for each in documents if (why := refusal(each))]


def test_all_of_it_runs_our_image_and_nothing_has_a_password_that_is_known(documents: list[dict[str, Any]]) -> None:
    pods = [each["spec"]["template"]["spec"] for each in documents if "template" in each.get("spec", {})]
    containers = [each for pod in pods for each in [*pod["containers"], *pod.get("initContainers", [])]]
    jobs = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]

    assert {"tidemark-airflow:local"} == {each["image"] for each in containers}
    assert ["airflow-run-airflow-migrations"] == jobs
    assert "password: admin" not in yaml.safe_dump_all(documents)


@pytest.fixture(scope="module")
def airflow(shop: Shop) -> Iterator[Shop]:
    """The DAG is in the image, logs stay in pods: neither needs an S3."""
    build()
    shop.cluster.load(WITH_DAG)
    shop.cluster.apply(*_secrets(shop))
    with helm.Config(kubeconfig_path=shop.cluster.kubeconfig, namespace=shop.cluster.namespace) as config:
        config.install(
            Path(GIVEN), "airflow", merged(VALUES, _values(shop)), namespace=shop.cluster.namespace, timeout=1800
        )
        yield shop
        config.uninstall("airflow")


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_run_whose_tasks_are_pods_ends_well(airflow: Shop) -> None:
    run_pods(airflow, "deploy/airflow-api-server", "deploy/airflow-dag-processor", "deploy/airflow-triggerer")


def _secrets(shop: Shop) -> list[dict[str, Any]]:
    """Make the database, and what the values say has to be there."""
    role, password = "official", secrets.token_urlsafe(24)
    shop.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'", "postgres", "postgres")
    shop.sql(f"CREATE DATABASE {role} OWNER {role}", "postgres", "postgres")
    host = f"postgres.{shop.outside.namespace}.svc.cluster.local"
    texts = {
        "airflow-metadata": {"connection": f"postgresql://{role}:{password}@{host}/{role}"},
        "airflow": {
            "fernet-key": f"{secrets.token_urlsafe(32)}=", "admin-password": secrets.token_urlsafe(24),
        },
        "airflow-jwt": {"jwt-secret": secrets.token_urlsafe(32)},
        "airflow-api": {"api-secret-key": secrets.token_urlsafe(32)},
    }  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": text}
        for name, text in texts.items()
    ]


def _values(shop: Shop) -> dict[str, Any]:
    repository, tag = WITH_DAG.split(":")
    told = {
        "TIDEMARK_TEST_IMAGE": WITH_DAG,
        "TIDEMARK_TEST_NAMESPACE": shop.cluster.namespace,
        "AIRFLOW__KUBERNETES_EXECUTOR__DELETE_WORKER_PODS": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
    }
    return {
        "defaultAirflowRepository": repository,
        "defaultAirflowTag": tag,
        "env": [*VALUES["env"], *({"name": name, "value": value} for name, value in told.items())],
        "config": {"logging": {"remote_logging": "False"}},
        **dict.fromkeys(SERVICES, FEW),
        "dagProcessor": {
            **FEW, "dagBundleConfigList": [{"name": "dags-folder", "classpath": DAGS_FOLDER, "kwargs": {}}],
        },
        "workers": FEW,
        "migrateDatabaseJob": FEW,
    }  # fmt: skip
