"""Jobs of Airflow's tasks on a real cluster: started once, adopted by a retry, ended with their task."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import helm_python as helm
import pytest
import yaml

from tests.integration.s3 import KEYS
from tests.kubernetes.charts import render
from tests.kubernetes.cluster import ROOT, wait_for
from tests.kubernetes.shop import Shop
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(3600)]

PYTHON = ROOT / ".tidemark" / "venv" / "airflow" / "bin" / "python"


@dataclass
class Worker:
    """A worker of Airflow's, beside the cluster: it knows S3 and the API server, and neither the source nor Spark."""

    shop: Shop
    template: Path
    endpoint: str
    key: str

    def launch(self, action: str, number: int = 1) -> dict[str, Any]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TIDEMARK_"))},
            **KEYS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AIRFLOW_HOME": str(self.template.parent / "airflow"),
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "AIRFLOW_CONN_CLUSTER": json.dumps(
                {"conn_type": "kubernetes", "extra": {"kube_config_path": self.shop.cluster.kubeconfig}}
            ),
            "TIDEMARK_LAUNCHER": "kubernetes",
            "TIDEMARK_LAKE": self.shop.lake["url"],
            "TIDEMARK_KUBERNETES_TEMPLATE": str(self.template),
            "TIDEMARK_KUBERNETES_CONNECTION": "cluster",
        }
        argv = [str(PYTHON), "-W", "ignore", "-m", "tests.kubernetes.launching", action, self.key, str(number)]
        ended = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr[-3000:]
        return dict(json.loads(ended.stdout.splitlines()[-1]))

    def jobs(self) -> list[str]:
        found = self.shop.cluster.get("jobs", "-l", "tidemark.io/launched-by=airflow")["items"]
        return sorted(job["metadata"]["name"] for job in found if job["metadata"]["name"].startswith(self.key))


@pytest.fixture(scope="module")
def endpoint(mirror: Shop) -> Iterator[str]:
    """The S3 server of the cluster, as this machine reaches it."""
    port = free_port()
    words = ["kubectl", "--kubeconfig", mirror.cluster.kubeconfig, "--namespace", mirror.outside.namespace]
    with subprocess.Popen([*words, "port-forward", "svc/s3", f"{port}:5000"], stdout=subprocess.DEVNULL) as forward:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        forward.kill()


@pytest.fixture
def worker(mirror: Shop, endpoint: str, tmp_path: Path) -> Worker:
    values = {
        "source": "shop",
        "lake": mirror.lake,
        "image": {"repository": "tidemark-spark", "tag": "test", "pullPolicy": "Never"},
    }
    # The account that a driver has, its pods' template and its policy come with a release; the Job is the launcher's.
    with helm.Config(kubeconfig_path=mirror.cluster.kubeconfig, namespace=mirror.cluster.namespace) as config:
        if "jobs" not in {release["name"] for release in config.list()}:
            config.install(
                ROOT / "infra/helm/spark-job",
                "jobs",
                {**values, "mode": "launched"},
                namespace=mirror.cluster.namespace,
            )
    template = tmp_path / "job.yaml"
    job = render("spark-job", values, name="jobs").of("Job")
    job["metadata"]["namespace"] = mirror.cluster.namespace
    template.write_text(yaml.safe_dump(job))
    return Worker(mirror, template, endpoint, f"tidemark-sync-{uuid4().hex[:16]}")


def test_a_job_is_started_ends_as_it_says_and_leaves_nothing_to_be_read_twice(worker: Worker) -> None:
    ended = worker.launch("run")

    assert 0 == ended["code"], ended
    assert "mark" in ended["summary"]
    assert [f"{worker.key}-1"] == worker.jobs()


def test_a_retry_adopts_the_job_of_a_worker_that_died(worker: Worker) -> None:
    worker.launch("start")

    ended = worker.launch("run", number=2)

    assert 0 == ended["code"], ended
    assert any("runs already: it is waited for" in line for line in ended["said"])
    assert [f"{worker.key}-1"] == worker.jobs()


def test_a_task_that_is_ended_ends_its_job_with_all_pods(worker: Worker) -> None:
    worker.launch("start")
    selector = f"job-name={worker.key}-1"
    wait_for(lambda: worker.shop.cluster.pods(selector), "the job's pod", worker.shop.cluster.told)

    worker.launch("end")

    wait_for(lambda: not worker.jobs(), "the end of the job", worker.shop.cluster.told)
    assert [] == worker.shop.cluster.pods(selector)
