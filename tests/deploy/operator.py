"""What a cluster of EKS has, and this one has not: External Secrets, and an agent that gives pods their keys.

The operator is in no registry here; what it does with the objects of our charts is little: it makes of each
ExternalSecret a Secret, of what Secrets Manager knows.
"""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.kubernetes.cluster import Cluster

GROUP = "external-secrets.io"
KINDS = {"ClusterSecretStore": ("clustersecretstores", "Cluster"), "ExternalSecret": ("externalsecrets", "Namespaced")}
PAUSE_S = 2


def definitions() -> list[dict[str, Any]]:
    return [_definition(kind, plural, scope) for kind, (plural, scope) in KINDS.items()]


def _definition(kind: str, plural: str, scope: str) -> dict[str, Any]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}},
        "subresources": {"status": {}},
    }
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": scope, "names": names, "versions": [version]},
    }


@contextmanager
def external_secrets(cluster: Cluster, manager: Any, keys: Mapping[str, str]) -> Iterator[None]:
    """Keep Secrets as they are asked for, and in each of our namespaces the keys to S3, which here no role gives."""
    cluster.apply(*definitions())
    over = threading.Event()
    thread = threading.Thread(target=lambda: _keep(cluster, manager, keys, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        cluster.kubectl("delete", "crd", *(f"{plural}.{GROUP}" for plural, _ in KINDS.values()), "--wait=false")


def _keep(cluster: Cluster, manager: Any, keys: Mapping[str, str], over: threading.Event) -> None:
    while not over.wait(PAUSE_S):
        said = cluster.kubectl("get", f"externalsecrets.{GROUP}", "-A", "-o", "json", check=False)
        wanted = json.loads(said)["items"] if said else []
        made = [_secret(each, manager) for each in wanted]
        places = sorted({each["metadata"]["namespace"] for each in wanted})
        for place in places:  # kubectl takes objects of one at a time; one that has gone meanwhile is none of ours
            here = [each for each in made if each["metadata"]["namespace"] == place]
            objects = {"apiVersion": "v1", "kind": "List", "items": [_document("s3-keys", place, keys), *here]}
            cluster.within(place).kubectl("apply", "-f", "-", content=json.dumps(objects), check=False)


def _secret(wanted: Mapping[str, Any], manager: Any) -> dict[str, Any]:
    spec = wanted["spec"]
    values: dict[str, str] = {}
    for each in spec.get("dataFrom", []):
        values |= json.loads(_value(manager, each["extract"]["key"]))
    for each in spec.get("data", []):
        whole, field = _value(manager, each["remoteRef"]["key"]), each["remoteRef"].get("property")
        values[each["secretKey"]] = json.loads(whole)[field] if field else whole
    return _document(spec["target"]["name"], wanted["metadata"]["namespace"], values)


def _value(manager: Any, name: str) -> str:
    return str(manager.get_secret_value(SecretId=name)["SecretString"])


def _document(name: str, namespace: str, values: Mapping[str, str]) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }
