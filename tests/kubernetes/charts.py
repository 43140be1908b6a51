"""Our charts, rendered by Helm itself, and what says whether a cluster would take what comes out."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import helm_python as helm
import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject, TriggerAuthentication
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor
from kubeflow_spark_api.models import (
    SparkV1beta2ScheduledSparkApplication as ScheduledSparkApplication,
)
from kubeflow_spark_api.models import SparkV1beta2SparkApplication as SparkApplication

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "infra" / "helm"
OPERATOR = ROOT / ".tidemark" / "jars" / "kubernetes-schemas" / "flink-kubernetes-operator-api-1.10.0.jar"
KUBERNETES = "1.34"
_TYPED = {
    "SparkApplication": SparkApplication,
    "ScheduledSparkApplication": ScheduledSparkApplication,
    "ScaledObject": ScaledObject,
    "TriggerAuthentication": TriggerAuthentication,
    "PodMonitor": PodMonitor,
    "ServiceMonitor": ServiceMonitor,
    "PrometheusRule": PrometheusRule,
}
# Of these no registry of Python or of Java has a definition: they were compared with what their documentation shows.
WITHOUT_SCHEMA = ("ExternalSecret", "ClusterSecretStore")


@dataclass(frozen=True)
class Rendered:
    """The documents of one rendering."""

    documents: list[dict[str, Any]]

    def of(self, kind: str, ending: str = "") -> dict[str, Any]:
        """Give the one document of a kind, whose name ends so."""
        [found] = [d for d in self.documents if d["kind"] == kind and d["metadata"]["name"].endswith(ending)]
        return found

    def kinds(self) -> set[str]:
        return {str(document["kind"]) for document in self.documents}


def render(chart: str, values: Mapping[str, Any] | None = None, *, name: str = "shop") -> Rendered:
    with helm.Chart.load(CHARTS / chart) as loaded:
        texts = loaded.render(values=dict(values or {}), name=name, namespace="mirror").values()
    return Rendered([document for text in texts for document in yaml.safe_load_all(text) if document])


def lint(chart: str, values: Mapping[str, Any] | None = None) -> list[str]:
    """Give what Helm complains of; that a chart has no icon is no complaint."""
    report = helm.lint(CHARTS / chart, dict(values or {}), strict=True, kube_version=f"v{KUBERNETES}.0")
    return [str(said["error"]) for said in report["messages"] if said["severity"] > 1] + list(report["errors"])


def refusal(document: dict[str, Any]) -> str:
    """Say why a cluster would refuse a document, or silently drop a part of it; nothing if it would not."""
    kind = document["kind"]
    try:
        if kind == "FlinkDeployment":
            jsonschema.validate(document, _strict(_flink_deployment()))
        elif kind in _TYPED:
            # Its models let pass what they do not know: it is not there when they give back what they have read.
            model = _TYPED[kind].model_validate(document)
            kept = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
            if _pruned(document) != _pruned(kept):
                return f"{document} is not {kept}"
        elif kind not in WITHOUT_SCHEMA:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except (kubernetes_validate.ValidationError, jsonschema.ValidationError, ValueError) as error:
        return f"{kind} {document['metadata']['name']}: {error}"
    return ""


@cache
def _flink_deployment() -> dict[str, Any]:
    with zipfile.ZipFile(OPERATOR) as jar:
        crd = yaml.safe_load(jar.read("META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"))
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    # What kubectl adds to every schema; and versions of Flink that came after this one of the operator.
    schema["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    schema["properties"]["spec"]["properties"]["flinkVersion"] = {"type": "string", "pattern": r"^v\d+_\d+$"}
    return schema


def _strict(schema: Any) -> Any:
    """Refuse what is not named, as an API server drops it."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    closed = "properties" in schema and "x-kubernetes-preserve-unknown-fields" not in schema
    if closed and isinstance(schema["properties"], dict) and schema.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string") or schema.get("anyOf"):
        strict.pop("type", None)
    return strict


def _pruned(value: Any) -> Any:
    """Leave out what is empty, which models do not keep apart from what is not there."""
    if isinstance(value, dict):
        return {name: kept for name, each in value.items() if (kept := _pruned(each)) not in (None, {}, [])}
    return [_pruned(each) for each in value] if isinstance(value, list) else value
