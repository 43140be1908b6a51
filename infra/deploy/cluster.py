"""A way into the stack's cluster, and what is done there that is no chart's."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import yaml
from kubernetes import client, config

from infra.deploy.environment import ROOT, Environment, NotDeployable
from infra.deploy.stack import Stack

EXTERNAL_SECRETS = "externalsecrets.external-secrets.io"
PATIENCE_S = 900
# What has ended is there so long for whoever waits for it to read.
STAYS_S = 60


@contextmanager
def reached(stack: Stack, environment: Environment) -> Iterator[Path]:
    """Give a kubeconfig: the one that was named, or one for EKS that signs with the credentials of boto3."""
    if environment.kubeconfig:
        yield environment.kubeconfig
        return
    found = boto3.client("eks", stack.region).describe_cluster(name=stack.cluster)["cluster"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig(found, stack.region)), encoding="utf-8")
        yield file


def kubeconfig(cluster: Mapping[str, Any], region: str) -> dict[str, Any]:
    """Make it of what EKS says of a cluster; no secret is in it."""
    name = cluster["name"]
    asking = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-m", "infra.deploy.token", name, region],
        "env": [{"name": "PYTHONPATH", "value": str(ROOT)}],
        "interactiveMode": "Never",
    }
    server = {"server": cluster["endpoint"], "certificate-authority-data": cluster["certificateAuthority"]["data"]}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": {"exec": asking}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def check(file: Path) -> None:
    """Look whether it answers, and has what the charts take for given; NotDeployable."""
    api: Any = client.ApiextensionsV1Api(_connection(file))
    try:
        api.read_custom_resource_definition(EXTERNAL_SECRETS)
    except client.ApiException as error:
        if error.status != 404:
            raise NotDeployable(f"the cluster says {error.status} {error.reason}") from error
        raise NotDeployable(
            f"the cluster has no {EXTERNAL_SECRETS}: install External Secrets there, as account external-secrets in "
            "the namespace external-secrets, which Terraform has given a role (docs/deployment.md#with-one-command)"
        ) from error


def run(file: Path, namespace: str, job: Mapping[str, Any], secret: Mapping[str, str]) -> str:
    """Run a Job to its end with a Secret that is there only meanwhile; give what it has said. NotDeployable."""
    name, connection = job["metadata"]["name"], _connection(file)
    core: Any = client.CoreV1Api(connection)
    batch: Any = client.BatchV1Api(connection)
    try:
        made = batch.create_namespaced_job(namespace, _passing(job))
        core.create_namespaced_secret(namespace, _owned(name, made.metadata.uid, secret))
        ended = _ended(batch, name, namespace)
        said = _said(core, name, namespace)
    finally:
        _remove(batch, name, namespace)
    if not ended:
        raise NotDeployable(f"{name} did not succeed: {said[-3000:]}")
    return said


def _passing(job: Mapping[str, Any]) -> dict[str, Any]:
    """Have it end and go by itself, and once only: whoever waits for it may be killed."""
    times = {"activeDeadlineSeconds": PATIENCE_S, "ttlSecondsAfterFinished": STAYS_S, "backoffLimit": 0}
    return {**job, "spec": {**job["spec"], **times}}


def _owned(name: str, uid: str, secret: Mapping[str, str]) -> dict[str, Any]:
    """Make a Secret that goes with its Job. The Job is there first, and its pod waits for what it is to read."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}
    return {"metadata": {"name": name, "ownerReferences": [owner]}, "stringData": dict(secret)}


def _ended(batch: Any, name: str, namespace: str) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        status = batch.read_namespaced_job_status(name, namespace).status
        if status.succeeded or status.failed:
            return bool(status.succeeded)
        time.sleep(2)
    return False


def _said(core: Any, name: str, namespace: str) -> str:
    pods = core.list_namespaced_pod(namespace, label_selector=f"job-name={name}").items
    try:
        return "\n".join(core.read_namespaced_pod_log(pod.metadata.name, namespace) for pod in pods)
    except client.ApiException as error:
        return f"its pods have said nothing: {error.reason}; {[pod.status.phase for pod in pods]}"


def _remove(batch: Any, name: str, namespace: str) -> None:
    try:
        batch.delete_namespaced_job(name, namespace, propagation_policy="Background")
    except client.ApiException as error:
        if error.status != 404:
            raise


def _connection(file: Path) -> Any:
    make: Any = config.new_client_from_config
    return make(str(file))
