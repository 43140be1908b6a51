"""Every chart, for many values: Helm lints it, a cluster takes all of it, and no pod may more than it must."""

from typing import Any

import helm_python as helm
import pytest
import yaml

from tests.kubernetes.charts import CHARTS, Rendered, lint, refusal, render

S3 = {"lake": {"endpoint": "http://s3:5000", "credentialsSecret": "s3-keys"}}
EVERYTHING = {
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "podLabels": {"team": "y"},
}
# Of an environment's values those that only the stack knows are given beside them.
STACK = {"externalSecret": {"database": "rds!db-1"}, "database": {"host": "db.internal"}}


def of_environment(chart: str, environment: str, given: dict[str, Any]) -> dict[str, Any]:
    values = yaml.safe_load((CHARTS / chart / f"values-{environment}.yaml").read_text())
    return {**values, **{name: {**values.get(name, {}), **more} for name, more in given.items()}}


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("flink-pipeline", {}),
    ("flink-pipeline", {**S3, **EVERYTHING}),
    ("flink-pipeline", {"mode": "operator"}),
    ("flink-pipeline", {"mode": "operator", **S3, **EVERYTHING}),
    ("spark-job", {}),
    ("spark-job", {**S3, "podLabels": {"team": "y"}}),
    ("spark-job", {"mode": "application", **S3, "sparkConf": {"spark.executor.heartbeatInterval": "10s"}}),
    ("spark-job", {"mode": "scheduled", "arguments": ["--timeout", "60"]}),
    ("airflow", {}),
    ("airflow", {"executor": "CeleryExecutor", "worker": {"keda": {"enabled": True}}}),
    (
        "airflow",
        {
            "tasks": {"startIn": ["jobs"], "jobTemplate": "sync-job"},
            "sources": [{"name": "a_b", "specsConfigMap": "y"}],
        },
    ),
    ("observability", {}),
    (
        "observability",
        {
            "labels": {"release": "y"},
            "sources": ["shop", "a_b"],
            "collector": {"tolerations": [{"key": "y", "operator": "Exists"}], "nodeSelector": {"y": "1"}},
        },
    ),
    *[
        (chart, of_environment(chart, environment, STACK if chart == "airflow" else {}))
        for chart in ("airflow", "flink-pipeline", "spark-job")
        for environment in ("dev", "prod")
    ],
]
every_variant = pytest.mark.parametrize(("chart", "values"), VARIANTS)


@every_variant
def test_helm_has_nothing_to_complain_of(chart: str, values: dict[str, Any]) -> None:
    assert [] == lint(chart, values)


# A release may be called as YAML writes a truth value, or a number.
@pytest.mark.parametrize("name", ["y", "123"])
@every_variant
def test_a_cluster_takes_all_of_it(chart: str, values: dict[str, Any], name: str) -> None:
    rendered = render(chart, values, name=name)

    assert len(rendered.documents) >= 5
    assert [] == [why for document in rendered.documents if (why := refusal(document))]


@pytest.mark.parametrize("where", [("spec", "template", "spec", "volums"), ("spec", "template", "spec", "hostNetwork")])
def test_what_a_cluster_would_not_take_is_seen(where: tuple[str, ...]) -> None:
    """A check that lets everything pass would pass."""
    document = render("flink-pipeline").of("Deployment", "jobmanager")
    place = document
    for name in where[:-1]:
        place = place[name]
    place[where[-1]] = "maybe"

    assert where[-1] in refusal(document)


@pytest.mark.parametrize(
    ("kind", "chart", "values"),
    [
        ("FlinkDeployment", "flink-pipeline", {"mode": "operator"}),
        ("PodMonitor", "flink-pipeline", {"podMonitor": {"enabled": True}}),
        ("SparkApplication", "spark-job", {"mode": "application"}),
        ("ScheduledSparkApplication", "spark-job", {"mode": "scheduled"}),
        ("ScaledObject", "airflow", {"executor": "CeleryExecutor", "worker": {"keda": {"enabled": True}}}),
        ("TriggerAuthentication", "airflow", {"executor": "CeleryExecutor", "worker": {"keda": {"enabled": True}}}),
        ("ServiceMonitor", "observability", {}),
        ("PrometheusRule", "observability", {}),
    ],
)
def test_what_an_operator_would_not_take_is_seen(kind: str, chart: str, values: dict[str, Any]) -> None:
    document = render(chart, values).of(kind)
    assert "" == refusal(document)

    document["spec"]["jobb"] = {"a": "b"}

    assert "jobb" in refusal(document)


@every_variant
def test_every_pod_is_as_restricted_as_can_be(chart: str, values: dict[str, Any]) -> None:
    """What `pod-security.kubernetes.io/enforce: restricted` asks, and a root file system that nobody writes."""
    pods = pods_of(render(chart, values))

    assert pods
    for pod in pods:
        assert {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}.items() <= pod[
            "securityContext"
        ].items()
        for container in pod["containers"]:
            assert {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            } == container["securityContext"]


@every_variant
def test_no_secret_is_a_value_or_a_word_of_a_command(chart: str, values: dict[str, Any]) -> None:
    """They come as files, or by the name of a Secret's key."""
    rendered = render(chart, values)

    assert "Secret" not in rendered.kinds()
    for pod in pods_of(rendered):
        for container in pod["containers"]:
            named = {env["name"]: env for env in container.get("env", [])}
            assert not [name for name, env in named.items() if "SECRET_ACCESS" in name and "value" in env]
            assert not [name for name in named if name.startswith("TIDEMARK_SOURCE_") and name.endswith("_URL")]
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        if chart != "airflow" and "/etc/tidemark/secrets" in mounts:
            assert {"secretName": "shop-source", "defaultMode": 0o444} in [v.get("secret") for v in pod["volumes"]]


@every_variant
def test_nothing_reaches_its_pods_but_what_is_named(chart: str, values: dict[str, Any]) -> None:
    rendered = render(chart, values)
    policies = [document["spec"] for document in rendered.documents if document["kind"] == "NetworkPolicy"]

    for policy in policies:
        assert ["Ingress", "Egress"] == policy["policyTypes"]
        assert all(rule.get("from") for rule in policy["ingress"])
        assert all(rule.get("to") for rule in policy["egress"])
    for labels in pod_labels(rendered):
        assert 1 == sum(policy["podSelector"]["matchLabels"].items() <= labels.items() for policy in policies)


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("chart", ["airflow", "flink-pipeline", "spark-job"])
def test_on_eks_who_reaches_aws_reaches_the_agent_that_has_the_keys_of_its_role(chart: str, environment: str) -> None:
    """Pod Identity: it answers at an address of the node, which policies keep from pods as they do any other."""
    rendered = render(chart, of_environment(chart, environment, STACK if chart == "airflow" else {}))
    policies = [document["spec"] for document in rendered.documents if document["kind"] == "NetworkPolicy"]

    reached = [{text for rule in policy["egress"] for text in _addresses(rule)} for policy in policies]
    aws = [addresses for addresses in reached if "0.0.0.0/0:443" in addresses]
    assert aws
    assert all("169.254.170.23/32:80" in addresses for addresses in aws)


def _addresses(rule: dict[str, Any]) -> list[str]:
    blocks = [to["ipBlock"]["cidr"] for to in rule["to"] if "ipBlock" in to]
    return [f"{block}:{port['port']}" for block in blocks for port in rule["ports"]]


@pytest.mark.parametrize(
    ("chart", "values", "said"),
    [
        ("flink-pipeline", {"mode": "session"}, "mode"),
        ("flink-pipeline", {"incarnation": 0}, "incarnation"),
        ("flink-pipeline", {"source": "Shop"}, "source"),
        ("flink-pipeline", {"lake": {"url": "file:///lake"}}, "url"),
        ("flink-pipeline", {"secrets": {"password": "x"}}, "password"),
        ("flink-pipeline", {"imagee": {}}, "imagee"),
        ("spark-job", {"job": "drop"}, "job"),
        ("spark-job", {"driver": {"memory": "1Gi"}}, "memory"),
        ("spark-job", {"sparkConf": {"executor.memory": "1g"}}, "executor.memory"),
        ("airflow", {"executor": "LocalExecutor"}, "executor"),
        ("airflow", {"execution": {"replicas": 0}}, "execution"),
        ("airflow", {"env": {"AIRFLOW__CORE__FERNET_KEY": "x"}}, "FERNET_KEY"),
        ("airflow", {"env": {"TIDEMARK_SOURCE_SHOP_URL": "x"}}, "TIDEMARK_SOURCE_SHOP_URL"),
        ("airflow", {"database": {"password": "x"}}, "password"),
        ("airflow", {"serviceAccounts": {"workers": {}}}, "workers"),
        ("observability", {"sources": ["Shop"]}, "Shop"),
        ("observability", {"limits": {"lagSecond": 1}}, "lagSecond"),
        ("observability", {"limits": {"awayFor": "5 minutes"}}, "awayFor"),
        ("observability", {"networkPolicy": {"readersFrom": []}}, "readersFrom"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(chart: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(helm.HelmError, match=said):
        render(chart, values)


def pods_of(rendered: Rendered) -> list[dict[str, Any]]:
    """Give the specs of all pods, those that Spark and the operators make too."""
    return [template["spec"] for template in _templates(rendered)]


def pod_labels(rendered: Rendered) -> list[dict[str, str]]:
    return [template["metadata"]["labels"] for template in _templates(rendered)]


def _templates(rendered: Rendered) -> list[dict[str, Any]]:
    found = []
    for document in rendered.documents:
        spec = document.get("spec", {})
        spark = spec if document["kind"] == "SparkApplication" else spec.get("template", {})
        found += [spec["template"]] if document["kind"] in ("Deployment", "Job") else []
        found += [spec["podTemplate"]] if "podTemplate" in spec else []
        found += [spark[role]["template"] for role in ("driver", "executor") if role in spark]
        if document["metadata"]["name"].endswith("-pods"):
            found += [yaml.safe_load(text) for text in document["data"].values()]
    return found
