"""Sources: prepared, copied when they never were, and proven equal."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import yaml

from infra.deploy import cluster
from infra.deploy.dags import PYTHON
from infra.deploy.environment import NotDeployable
from infra.deploy.releases import NAMESPACES, Planned, slug
from infra.deploy.stack import Stack
from infra.deploy.told import tell
from tidemark_contract.errors import TidemarkError
from tidemark_contract.layout import COPIES, Layout
from tidemark_contract.s3 import SCHEME


class JobFailed(TidemarkError):
    """A job ended with another exit code than 0, which is ours then; its reason was told by it."""

    def __init__(self, job: str, code: int) -> None:
        self.exit_code = code
        super().__init__(f"{job} ended with {code}; its reason stands above")


def check_secret(stack: Stack, source: str) -> None:
    """Look whether a person has put the source's settings in; NotDeployable."""
    manager = boto3.client("secretsmanager", stack.region)
    name, setting = stack.secret_of(source), f"TIDEMARK_SOURCE_{source.upper()}_URL"
    try:
        known = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    except (manager.exceptions.ResourceNotFoundException, ValueError):
        known = {}
    if setting not in known:
        raise NotDeployable(
            f"the secret {name} has no {setting}: aws secretsmanager put-secret-value --secret-id {name} "
            f'--secret-string file://{source}.json, whose content is {{"{setting}": "postgresql://…"}}'
        )


def init(stack: Stack, planned: Planned, kubeconfig: Path, source: str) -> None:
    """Prepare a source by `tidemark init`, in the cluster, where the role of its tables' owner is given."""
    setting = f"TIDEMARK_SOURCE_{source.upper()}_ADMIN_URL"
    if not (url := os.environ.get(setting)):
        tell(f"init: {source} is left as it is: {setting}, a role that owns its tables, is not set")
        return
    name = f"{slug(source)}-init-{secrets.token_hex(4)}"
    template = yaml.safe_load(planned.job_templates[f"{source}-mirror.yaml"])
    said = cluster.run(kubeconfig, NAMESPACES["jobs"], _console(template, name, setting), {setting: url})
    tell(f"init: {source}: {said.strip()}")


def prove(stack: Stack, planned: Planned, kubeconfig: Path, source: str) -> None:
    """Prove a source's tables equal, after a first copy of all of them where there is none; JobFailed."""
    if not was_copied(stack, source):
        tell(f"verify: {source} was never copied: copy (as long as its tables are large)")
        _launch(stack, planned, kubeconfig, "copy", source)
    facts = _launch(stack, planned, kubeconfig, "verify", source)
    tell(f"verify: {source}: {len(facts['tables'])} tables are equal at mark {facts['mark']}")


def was_copied(stack: Stack, source: str) -> bool:
    """Tell whether a copy of a source was ever finished: one that is cut off leaves tables that nothing is known of."""
    bucket, _, folder = f"{Layout(stack.lake, source).claims}/{COPIES}".removeprefix(SCHEME).partition("/")
    return bool(boto3.client("s3", stack.region).list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=1)["KeyCount"])


def _console(template: Mapping[str, Any], name: str, setting: str) -> dict[str, Any]:
    """Make the Job of another program of that of a job: the console, with one setting more."""
    job: dict[str, Any] = json.loads(json.dumps(template))
    job["metadata"] = {"name": name, "labels": job["metadata"]["labels"]}
    [container] = job["spec"]["template"]["spec"]["containers"]
    container["args"] = ["tidemark", "init"]
    container["env"].append({"name": setting, "valueFrom": {"secretKeyRef": {"name": name, "key": setting}}})
    return job


def _launch(stack: Stack, planned: Planned, kubeconfig: Path, job: str, source: str) -> dict[str, Any]:
    """Run a job as Airflow would, and give its summary; JobFailed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for file, text in planned.job_templates.items():
            (folder / file).write_text(text, encoding="utf-8")
        connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(kubeconfig)}}
        told = {
            "TIDEMARK_LAUNCHER": "kubernetes",
            "TIDEMARK_KUBERNETES_TEMPLATE": str(folder / "{source}-{workload}.yaml"),
            "TIDEMARK_KUBERNETES_CONNECTION": "cluster",
            "AIRFLOW_CONN_CLUSTER": json.dumps(connection),
            "AIRFLOW_HOME": str(folder / "airflow"),
        }
        return launch(stack, {**told}, [job, "--source", source])


def launch(stack: Stack, settings: Mapping[str, str], words: list[str]) -> dict[str, Any]:
    """Run one job where settings say, and wait for it; JobFailed."""
    argv = [str(PYTHON), "-W", "ignore", "-m", "tidemark_orchestration.launchers", *words]
    told = {**os.environ, "TIDEMARK_LAKE": stack.lake, "AWS_REGION": stack.region, **settings}
    with subprocess.Popen(argv, env=told, stdout=subprocess.PIPE, stderr=sys.stderr, text=True) as process:
        said = process.communicate()[0]
    if process.returncode:
        raise JobFailed(words[0], process.returncode)
    return dict(json.loads(said.splitlines()[-1]))
