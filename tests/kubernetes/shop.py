"""A shop on a cluster: its PostgreSQL and an S3 server in one namespace, its mirror in a restricted one."""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import helm_python as helm

from tests.kubernetes.cluster import ROOT, Cluster, wait_for

CAPTURE = ["wal_level=logical", "max_prepared_transactions=16", "max_wal_senders=8", "max_replication_slots=8"]
SPECS = {
    "source.yaml": "source: shop",
    "public.account.yaml": """
table: public.account
key: [id]
columns:
  - {name: id, type: integer, nullable: false}
  - {name: owner, type: text}
  - {name: balance, type: numeric}
""",
    "public.entry.yaml": """
table: public.entry
key: []
columns:
  - {name: who, type: text}
  - {name: amount, type: "numeric(12,2)"}
""",
}
TABLES = """
CREATE TABLE account (id integer PRIMARY KEY, owner text, balance numeric);
CREATE TABLE entry (who text, amount numeric(12,2));
ALTER TABLE entry REPLICA IDENTITY FULL;
INSERT INTO account SELECT g, 'owner ' || g, g / 7.0 FROM generate_series(1, 2000) g;
INSERT INTO entry SELECT 'twin', 1.5 FROM generate_series(1, 20);
"""


@dataclass(frozen=True)
class Shop:
    """`cluster` is seen from the namespace of the mirror."""

    cluster: Cluster
    images: Mapping[str, str]
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)

    @property
    def outside(self) -> Cluster:
        """The same cluster, from the namespace of the source and S3."""
        return self.cluster.within(f"{self.cluster.namespace}-outside")

    @property
    def lake(self) -> dict[str, str]:
        return {
            "url": "s3://lake/mirror",
            "region": "eu-central-1",
            "endpoint": f"http://s3.{self.outside.namespace}.svc.cluster.local:5000",
            "credentialsSecret": "s3-keys",
        }

    def url(self, role: str) -> str:
        host = f"postgres.{self.outside.namespace}.svc.cluster.local"
        return f"postgresql://{role}:{self.password}@{host}:5432/shop"

    @contextmanager
    def open(self) -> Iterator["Shop"]:
        """Set it up with an S3 of its own; at the end both namespaces are gone."""
        restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        with self.database():
            try:
                self.cluster.apply(_namespace(self.cluster.namespace, restricted))
                self._serve_s3()
                self._configure()
                yield self
            finally:
                self._forget(self.cluster)

    @contextmanager
    def database(self) -> Iterator["Shop"]:
        """Set up the source alone."""
        try:
            self.outside.apply(_namespace(self.outside.namespace, {}))
            self._serve_database()
            yield self
        finally:
            self._forget(self.outside)

    @staticmethod
    def _forget(place: Cluster) -> None:
        place.kubectl("delete", "namespace", place.namespace, "--wait=false", "--ignore-not-found")

    def sql(self, statements: str, role: str = "owner", database: str = "shop") -> str:
        """Run statements in the source's own pod; give what they answer, one row a line."""
        words = ["exec", "-i", "deploy/postgres", "--", "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-U", role, database]
        return self.outside.kubectl(*words, content=statements)

    def helm(self, chart: str, name: str, values: Mapping[str, Any]) -> None:
        """Install a chart, or upgrade its release; it does not wait."""
        common = {
            "lake": {**self.lake, **({"checkpoints": "s3://lake/_checkpoints"} if chart == "flink-pipeline" else {})},
            "image": dict(zip(("repository", "tag"), self.images[chart].split(":"), strict=True))
            | {"pullPolicy": "Never"},
        }
        with helm.Config(kubeconfig_path=self.cluster.kubeconfig, namespace=self.cluster.namespace) as config:
            known = {release["name"] for release in config.list()}
            act = config.upgrade if name in known else config.install
            act(ROOT / "infra" / "helm" / chart, name, {**common, **values}, namespace=self.cluster.namespace)

    def job(self, job: str, revision: int = 1, **values: Any) -> dict[str, Any]:
        """Run a job to its end, and give its summary."""
        self.start_job(job, **values)
        return summary(self.cluster.finished(f"{job}-{revision}"))

    def start_job(self, job: str, **values: Any) -> None:
        self.helm("spark-job", job, {"job": job, "source": "shop", **values})

    def status(self) -> dict[str, Any]:
        """Ask how the stream is, as whoever has only its address; nothing where there is no pod to ask from."""
        asked = ["exec", "deploy/shop-taskmanager", "--", "env", "TIDEMARK_STREAM_SHOP_URL=http://shop-rest:8081"]
        said = self.cluster.kubectl(
            *asked, "python", "-m", "tidemark_streaming", "status", "--source", "shop", check=False
        )
        return dict(json.loads(said)) if said else {}

    def rest(self, path: str) -> Any:
        """Ask Flink itself."""
        ask = f"import urllib.request as r; print(r.urlopen('http://shop-rest:8081{path}', timeout=30).read().decode())"
        return json.loads(self.cluster.kubectl("exec", "deploy/shop-taskmanager", "--", "python", "-c", ask))

    def objects(self, bucket: str) -> list[str]:
        """Name what is in a bucket of the cluster's S3."""
        asked = f"http://127.0.0.1:5000/{bucket}?list-type=2&max-keys=100000"
        ask = f"import urllib.request as r; print(r.urlopen('{asked}', timeout=30).read().decode())"
        return re.findall("<Key>(.*?)</Key>", self.outside.kubectl("exec", "deploy/s3", "--", "python3", "-c", ask))

    def landing(self, beyond: int = -1) -> dict[str, Any]:
        """Wait until the stream runs and has completed a checkpoint beyond one."""
        return wait_for(lambda: self._runs(beyond), f"a checkpoint beyond {beyond}", self.cluster.told)

    def _runs(self, beyond: int) -> dict[str, Any]:
        status = self.status()
        return status if status.get("state") == "running" and (status["checkpoint"] or -1) > beyond else {}

    def console(self, name: str, *words: str) -> str:
        """Run the console in a pod, with the rights of the tables' owner."""
        environment = {
            "TIDEMARK_SPECS": "/etc/tidemark/specs",
            "TIDEMARK_STATE": "/work/state",
            "TIDEMARK_LAKE": self.lake["url"],
            "AWS_ENDPOINT_URL": self.lake["endpoint"],
            "AWS_REGION": self.lake["region"],
        }
        self.cluster.apply(_console(name, words, environment, self.images["spark-job"]))
        return self.cluster.finished(name)

    def _serve_database(self) -> None:
        words = [word for each in CAPTURE for word in ("-c", each)]
        secret = _secret("postgres", {"POSTGRES_PASSWORD": self.password})
        ready = {"exec": {"command": ["pg_isready", "--host", "127.0.0.1", "--username", "postgres"]}}
        self.outside.apply(secret, *_server("postgres", "postgres:17", 5432, words, "postgres", ready))
        self._rolled_out("postgres")
        for statements in (
            f"CREATE ROLE owner LOGIN PASSWORD '{self.password}'",
            f"CREATE ROLE capture LOGIN REPLICATION PASSWORD '{self.password}'",
            "CREATE DATABASE shop OWNER owner",
        ):
            self.sql(statements, "postgres", "postgres")
        self.sql(TABLES)

    def _serve_s3(self) -> None:
        self.outside.apply(*_server("s3", self.images["s3"], 5000, [], None, {"tcpSocket": {"port": 5000}}))
        self._rolled_out("s3")
        make = "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:5000/lake', method='PUT'))"
        self.outside.kubectl("exec", "deploy/s3", "--", "python3", "-c", make)

    def _rolled_out(self, name: str) -> None:
        self.outside.kubectl("rollout", "status", f"deploy/{name}", "--timeout=600s")

    def _configure(self) -> None:
        self.cluster.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop-specs"}, "data": SPECS},
            _secret("shop-source", {"TIDEMARK_SOURCE_SHOP_URL": self.url("capture")}),
            _secret(
                "shop-owner",
                {
                    "TIDEMARK_SOURCE_SHOP_URL": self.url("capture"),
                    "TIDEMARK_SOURCE_SHOP_ADMIN_URL": self.url("owner"),
                },
            ),
            _secret("s3-keys", {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}),
        )


def summary(said: str) -> dict[str, Any]:
    """Find the summary among what a job has written."""
    lines = [line for line in said.splitlines() if line.startswith('{"job"')]
    return dict(json.loads(lines[-1]))


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def _secret(name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(texts)}


def _server(
    name: str, image: str, port: int, words: list[str], secret: str | None, ready: Mapping[str, Any]
) -> list[dict[str, Any]]:
    labels = {"app": name}
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        **({"args": words} if words else {}),
        **({"envFrom": [{"secretRef": {"name": secret}}]} if secret else {}),
        "ports": [{"containerPort": port}],
        "readinessProbe": dict(ready) | {"periodSeconds": 2, "timeoutSeconds": 30},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"port": port}]},
        },
    ]


def _console(name: str, words: tuple[str, ...], environment: Mapping[str, str], image: str) -> dict[str, Any]:
    mounts = [{"name": n, "mountPath": p} for n, p in (("work", "/work"), ("specs", "/etc/tidemark/specs/shop"))]
    container = {
        "name": "console",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["tidemark", *words],
        "env": [{"name": n, "value": v} for n, v in environment.items()],
        "envFrom": [{"secretRef": {"name": n}} for n in ("shop-owner", "s3-keys")],
        "volumeMounts": mounts,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "work", "emptyDir": {}}, {"name": "specs", "configMap": {"name": "shop-specs"}}],
        "containers": [container],
    }
    job = {"backoffLimit": 0, "template": {"spec": spec}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": job}
