"""What the other charts need of a cluster: namespaces that let nothing in or out, specs, and the way to secrets."""

from typing import Any

import helm_python as helm
import pytest

from tests.kubernetes.charts import Rendered, lint, refusal, render

NAMESPACES = {"airflow", "tidemark-stream", "tidemark-jobs"}
VALUES: dict[str, Any] = {
    "secretStore": {"enabled": True, "region": "eu-central-1"},
    "sources": {
        "a_b": {
            "secret": "tidemark-dev/sources/a_b",
            "specs": {"source.yaml": "source: a_b", "public.t.yaml": "key: [y]"},
        }
    },
    "jobTemplates": {"a_b-mirror.yaml": "kind: Job"},
}


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    return render("cluster", VALUES)


def each(rendered: Rendered, kind: str) -> list[dict[str, Any]]:
    return [document for document in rendered.documents if document["kind"] == kind]


def test_a_cluster_takes_all_of_it_and_helm_has_nothing_to_complain_of(rendered: Rendered) -> None:
    assert [] == lint("cluster", VALUES)
    assert [] == [why for document in rendered.documents if (why := refusal(document))]


def test_namespaces_are_restricted_and_what_has_no_policy_reaches_nothing(rendered: Rendered) -> None:
    levels = {
        document["metadata"]["name"]: document["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for document in each(rendered, "Namespace")
    }
    assert dict.fromkeys(NAMESPACES, "restricted") == levels
    policies = {document["metadata"]["namespace"]: document["spec"] for document in each(rendered, "NetworkPolicy")}
    nothing = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert dict.fromkeys(NAMESPACES, nothing) == policies


def test_specs_are_where_somebody_reads_them_file_by_file(rendered: Rendered) -> None:
    specs = {
        document["metadata"]["namespace"]: document["data"]
        for document in each(rendered, "ConfigMap")
        if document["metadata"]["name"] == "a-b-specs"
    }
    assert dict.fromkeys(NAMESPACES, VALUES["sources"]["a_b"]["specs"]) == specs


def test_a_sources_settings_are_where_its_stream_and_jobs_are_and_nowhere_else(rendered: Rendered) -> None:
    found = {document["metadata"]["namespace"]: document["spec"] for document in each(rendered, "ExternalSecret")}

    assert {"tidemark-stream", "tidemark-jobs"} == set(found)
    for spec in found.values():
        assert {"name": "a-b-source"} == spec["target"]
        assert [{"extract": {"key": "tidemark-dev/sources/a_b"}}] == spec["dataFrom"]
    [store] = each(rendered, "ClusterSecretStore")
    assert [{"namespaces": sorted(NAMESPACES)}] == store["spec"]["conditions"]


def test_without_a_store_and_sources_there_are_namespaces_only() -> None:
    assert {"Namespace", "NetworkPolicy"} == render("cluster").kinds()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sources": {"Shop": {"secret": "s", "specs": {"source.yaml": ""}}}}, "Shop"),
        ({"sources": {"shop": {"secret": "s", "specs": {}}}}, "source.yaml"),
        ({"namespaces": {"airflow": "A"}}, "airflow"),
        ({"secrets": {}}, "secrets"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(values: dict[str, Any], said: str) -> None:
    with pytest.raises(helm.HelmError, match=said):
        render("cluster", values)
