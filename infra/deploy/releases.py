"""The releases of a stack: what Terraform has made, as values of the charts.

What an environment wants otherwise stands in infra/helm/<chart>/values-<environment>.yaml; what is only one's own, in
values.yaml beside the environment's main.tf, by chart.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

from infra.deploy.charts import CHARTS, Release, merged
from infra.deploy.environment import Environment
from infra.deploy.stack import Stack

NAMESPACES = {"airflow": "airflow", "stream": "tidemark-stream", "jobs": "tidemark-jobs"}
# Each has an account, and so a role, of its own; `erase` is a person's affair.
WORKLOADS = ("mirror", "gold", "maintain")
HOME = "tidemark"
STORE = "aws"
BUNDLE = "tidemark_orchestration.bundles.bundle.VersionedS3Bundle"


def slug(source: str) -> str:
    """Give a source's name as Kubernetes takes it."""
    return source.replace("_", "-")


class Planned:
    """All releases of one stack in one environment."""

    def __init__(self, stack: Stack, environment: Environment) -> None:
        self._stack, self._environment = stack, environment
        file = environment.folder / "values.yaml"
        self._own: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}

    def all(self) -> list[Release]:
        """Give them in the order in which they are installed; what is removed goes the other way."""
        sources = self._stack.sources
        jobs = [job for source in sources for job in self.jobs(source)]
        streams = [self.stream(source) for source in sources]
        airflow = [self.airflow()] if self._stack.platform == "eks" else []
        return [self.cluster(), *jobs, *streams, *airflow]

    def cluster(self) -> Release:
        """Namespaces, specs, the way to secrets, and what jobs are made from."""
        sources = {
            source: {"secret": self._stack.secret_of(source), "specs": _files(self._environment.specs / source)}
            for source in self._stack.sources
        }
        values = {
            "namespaces": NAMESPACES,
            "secretStore": {"enabled": True, "name": STORE, "region": self._stack.region},
            "sources": sources,
            "jobTemplates": self.job_templates,
        }
        return self._release("cluster", "cluster", HOME, values)

    def stream(self, source: str) -> Release:
        """Flink of one source, as the account that has its role."""
        asking = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACES["airflow"]}}}
        values = {
            "source": source,
            "image": self._image("flink"),
            "specsConfigMap": f"{slug(source)}-specs",
            "lake": {**self._lake, "checkpoints": f"s3://{self._stack.buckets['checkpoints']}"},
            "secrets": {"name": f"{slug(source)}-source"},
            "networkPolicy": {"restFrom": [asking]},
        }
        return self._release("flink-pipeline", f"{slug(source)}-stream", NAMESPACES["stream"], values)

    def jobs(self, source: str) -> list[Release]:
        """What the jobs of a source need that Airflow starts, for each workload."""
        return [self._job(source, workload, "launched") for workload in WORKLOADS]

    @cached_property
    def job_templates(self) -> dict[str, str]:
        """Render what Airflow's launcher makes jobs from, by the name of the file."""
        return {
            f"{source}-{workload}.yaml": _rendered(self._job(source, workload, "job"))
            for source in self._stack.sources
            for workload in WORKLOADS
        }

    def airflow(self) -> Release:
        """Airflow, with its DAG files, results and logs on S3."""
        [database] = self._stack.metadata
        values = {
            "image": self._image("airflow"),
            "database": {"host": database.address, "name": database.database},
            "externalSecret": {"store": {"kind": "ClusterSecretStore", "name": STORE}, "database": database.secret},
            "sources": [{"name": each, "specsConfigMap": f"{slug(each)}-specs"} for each in self._stack.sources],
            "tasks": {"startIn": [NAMESPACES["jobs"]], "jobTemplate": "job-templates",
                      "jobTemplateFile": "{source}-{workload}.yaml"},
            "env": self._told(),
        }  # fmt: skip
        return self._release("airflow", "airflow", NAMESPACES["airflow"], values)

    def _told(self) -> dict[str, str]:
        stack = self._stack
        bundle = [{"name": "tidemark", "classpath": BUNDLE, "kwargs": {"url": stack.settings["TIDEMARK_DAGS"]}}]
        streams = {
            f"TIDEMARK_STREAM_{source.upper()}_URL": f"http://{slug(source)}-stream-rest.{NAMESPACES['stream']}:8081"
            for source in stack.sources
        }
        return {
            **streams,
            **stack.airflow,
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundle),
            "TIDEMARK_LAKE": stack.lake,
            "AWS_REGION": stack.region,
        }

    def _job(self, source: str, workload: str, mode: str) -> Release:
        values = {
            "mode": mode,
            "source": source,
            "image": self._image("spark"),
            "specsConfigMap": f"{slug(source)}-specs",
            "lake": self._lake,
            "secrets": {"name": f"{slug(source)}-source"},
        }
        return self._release("spark-job", f"{slug(source)}-{workload}", NAMESPACES["jobs"], values)

    def _release(self, chart: str, name: str, namespace: str, values: Mapping[str, Any]) -> Release:
        file = CHARTS / chart / f"values-{self._environment.name}.yaml"
        of_environment = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        return Release(chart, name, namespace, merged(of_environment, values, self._own.get(chart, {})))

    def _image(self, name: str) -> dict[str, str]:
        return {"repository": self._stack.images[name], "tag": self._environment.release}

    @property
    def _lake(self) -> dict[str, str]:
        return {"url": self._stack.lake, "region": self._stack.region}


def _files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml"))}


def _rendered(release: Release) -> str:
    """Give the Job alone: the rest of its chart is installed."""
    with helm.Chart.load(CHARTS / release.chart) as chart:
        texts = chart.render(values=dict(release.values), name=release.name, namespace=release.namespace).values()
    [job] = [each for text in texts for each in yaml.safe_load_all(text) if each and each["kind"] == "Job"]
    job["metadata"]["namespace"] = release.namespace
    return yaml.safe_dump(job, sort_keys=False)
