"""An account of AWS, a registry, a cluster and a source, all on this machine, and a clone that is deployed there."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.operator import external_secrets
from tests.deploy.registry import Registry, registry
from tests.infra.emulators import KEYS, REGION, Aws, ministack, moto
from tests.infra.terraform import settings
from tests.infra.test_apply import client
from tests.kubernetes.cluster import ROOT, Cluster
from tests.kubernetes.shop import SPECS, Shop

# The address at which the cluster's kit has this machine, for its pods too.
HOST = "10.250.0.1"
# Where EKS's agent answers that gives pods the keys of their role.
AGENT = "169.254.170.23"
STATE = "tidemark-state"
AIRFLOW = "airflow"
SHOP = "tidemark-test-deploy"
PATIENCE_S = 3600
FEW = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1536Mi"}}


@dataclass(frozen=True)
class Done:
    code: int
    said: str


@dataclass(frozen=True)
class Account:
    aws: Aws
    registry: Registry
    cluster: Cluster
    shop: Shop
    clone: Path
    told: dict[str, str]

    def run(self, step: str, *words: str) -> Done:
        """Do a step as `make` does."""
        with self.begin(step, *words) as process:
            said, _ = process.communicate(timeout=PATIENCE_S)
        return Done(process.returncode, said)

    def begin(self, step: str, *words: str) -> "subprocess.Popen[str]":
        """Begin one, in a session of its own, as in a terminal."""
        argv = [str(ROOT / ".tidemark/venv/deploy/bin/python"), "-m", "infra.deploy", step, "--env", "dev"]
        argv += ["--specs", "specs", "--kubeconfig", self.cluster.kubeconfig, *words]
        owner = {"TIDEMARK_SOURCE_SHOP_ADMIN_URL": self.shop.url("owner")}
        return subprocess.Popen(
            argv, cwd=self.clone, env={**self.aws.environment, **self.told, **owner}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def make_airflows_database(self) -> None:
        """Make what RDS would have: its emulator is no PostgreSQL, and keeps the password of one."""
        [database] = self.client("rds").describe_db_instances()["DBInstances"]
        secret = self.client("secretsmanager").get_secret_value(SecretId=database["MasterUserSecret"]["SecretArn"])
        password = json.loads(secret["SecretString"])["password"].replace("'", "''")
        self.shop.sql(f"CREATE ROLE {AIRFLOW} LOGIN PASSWORD '{password}'", "postgres", "postgres")
        self.shop.sql(f"CREATE DATABASE {database['DBName']} OWNER {AIRFLOW}", "postgres", "postgres")

    def client(self, service: str) -> Any:
        return client(self.aws.endpoint, service)


@contextmanager
def opened(cluster: Cluster, folder: Path) -> Iterator[Account]:
    """Set all of it up; nothing is deployed yet."""
    with ExitStack() as stack:
        images = stack.enter_context(registry(folder / "registry"))
        one = stack.enter_context(moto(folder, HOST, TIDEMARK_TEST_REGISTRY=images.address))
        other = stack.enter_context(ministack(folder))
        _forget(cluster, "true")  # of a run that was killed
        stack.callback(_forget, cluster, "false")
        shop = stack.enter_context(Shop(cluster.within(SHOP), {}).database())
        stack.enter_context(_agent())
        # ECR knows of what was pushed to it.
        ecr = client(one, "ecr")
        images.tell = lambda name, tag, text: ecr.put_image(repositoryName=name, imageTag=tag, imageManifest=text)
        stack.enter_context(external_secrets(cluster, client(one, "secretsmanager"), KEYS))
        client(one, "s3").create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": REGION})
        clone = _cloned(folder / "clone", one, shop)
        aws = Aws.of_both(one, other)
        yield Account(aws, images, cluster, shop, clone, settings(folder))


def _forget(cluster: Cluster, wait: str) -> None:
    """Take away what a test that failed has left."""
    names = ("airflow", "tidemark-stream", "tidemark-jobs", "tidemark", f"{SHOP}-outside")
    cluster.kubectl("delete", "namespace", *names, "--ignore-not-found", f"--wait={wait}")


def _cloned(clone: Path, endpoint: str, shop: Shop) -> Path:
    """Clone the commit that is checked out, and write what a person writes for an environment."""
    subprocess.run(["git", "clone", "--quiet", "--local", str(ROOT), str(clone)], check=True)
    (clone / ".tidemark").symlink_to(ROOT / ".tidemark")
    specs = clone / "specs" / "shop"
    specs.mkdir(parents=True)
    for name, text in SPECS.items():
        (specs / name).write_text(text)
    environment = clone / "infra/terraform/environments/dev"
    (environment / "backend.hcl").write_text(f'bucket = "{STATE}"\nregion = "{REGION}"\n')
    # Neither AWS here knows the release of EMR that is the default.
    (environment / "dev.auto.tfvars").write_text(
        f'region = "{REGION}"\nadmins = {{ people = "arn:aws:iam::123456789012:role/people" }}\n'
        'emr_release = "emr-7.9.0"\n'
    )
    (environment / "values.yaml").write_text(yaml.safe_dump(_values(endpoint, shop)))
    return clone


def _values(endpoint: str, shop: Shop) -> dict[str, Any]:
    """What is otherwise here than on AWS: where AWS is, how pods get keys, the database, and how much room there is."""
    lake = {"endpoint": endpoint, "credentialsSecret": "s3-keys"}
    anywhere = {"nodeSelector": {"tidemark.io/for": None}}
    services = ("scheduler", "apiServer", "execution", "dagProcessor", "triggerer")
    return {
        "flink-pipeline": {"lake": lake, "checkpointInterval": "2s", **anywhere},
        "spark-job": {"lake": lake, **anywhere},
        "airflow": {
            "database": {"host": f"postgres.{shop.outside.namespace}.svc.cluster.local", "user": AIRFLOW},
            "env": {
                "AWS_ENDPOINT_URL": endpoint,
                # Of an image that stands in for Python's own this is empty, which botocore takes for a mistake.
                "AWS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{AGENT}/v1/credentials",
                "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
            },
            **{name: {"replicas": 1, "resources": FEW} for name in services},
            "tasks": {"resources": FEW},
            "prepare": {"resources": FEW},
        },
    }


@contextmanager
def _agent() -> Iterator[None]:
    """Answer as EKS's agent of Pod Identity; the address is this machine's meanwhile."""
    subprocess.run(["ip", "address", "replace", f"{AGENT}/32", "dev", "lo"], check=True)
    server = ThreadingHTTPServer((AGENT, 80), _Keys)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        subprocess.run(["ip", "address", "delete", f"{AGENT}/32", "dev", "lo"], check=True)


class _Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = {
            "AccessKeyId": KEYS["AWS_ACCESS_KEY_ID"], "SecretAccessKey": KEYS["AWS_SECRET_ACCESS_KEY"],
            "Token": "none", "Expiration": until,
        }  # fmt: skip
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(keys).encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


def may_not() -> str:
    """Say why this machine cannot give pods their keys; nothing if it can."""
    return "" if os.geteuid() == 0 else "who answers at the agent's address has to be root"
