"""What each template of the chart flink-pipeline promises."""

import pytest

from tests.kubernetes.charts import render
from tidemark_contract.s3 import S3Access

LAKE = {"lake": {"endpoint": "http://s3:5000", "url": "s3://lake/shops", "checkpoints": "s3://state/flink"}}
WORDS = ["--source", "shop", "--incarnation", "3", "--checkpoints", "s3://state/flink", "--checkpoint-interval", "10s"]


@pytest.mark.parametrize("role", ["jobmanager", "taskmanager"])
def test_a_native_stream_is_one_pod_of_each_role_and_never_two_versions_at_once(role: str) -> None:
    deployment = render("flink-pipeline", {**LAKE, "incarnation": 3}).of("Deployment", role)["spec"]
    [container] = deployment["template"]["spec"]["containers"]

    assert (1, {"type": "Recreate"}) == (deployment["replicas"], deployment["strategy"])
    assert [role, "--cluster", "shop", *WORDS] == container["args"]
    assert deployment["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()


def test_a_stream_is_ready_when_it_lands_and_alive_while_flink_answers() -> None:
    [container] = render("flink-pipeline", {"oldestCheckpointSeconds": 60}).of("Deployment", "jobmanager")["spec"][
        "template"
    ]["spec"]["containers"]

    assert ["python", "-m", "tidemark_streaming.ready", "60"] == container["readinessProbe"]["exec"]["command"]
    assert "/config" == container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"]


def test_a_stream_that_is_not_ready_can_be_asked_why() -> None:
    service = render("flink-pipeline").of("Service")

    assert "shop-rest" == service["metadata"]["name"]
    assert service["spec"]["publishNotReadyAddresses"]
    assert "jobmanager" == service["spec"]["selector"]["app.kubernetes.io/component"]


def test_flinks_high_availability_may_use_config_maps_and_nothing_else() -> None:
    rules = render("flink-pipeline").of("Role")["rules"]

    assert [["configmaps"]] == [rule["resources"] for rule in rules]


def test_a_role_of_the_cloud_is_an_annotation() -> None:
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/stream"}

    account = render("flink-pipeline", {"serviceAccount": {"annotations": role}}).of("ServiceAccount")

    assert role == account["metadata"]["annotations"]


def test_a_drain_takes_one_of_the_two_pods_at_a_time() -> None:
    assert 1 == render("flink-pipeline").of("PodDisruptionBudget")["spec"]["maxUnavailable"]


def test_metrics_are_scraped_where_the_prometheus_operator_is() -> None:
    assert "PodMonitor" not in render("flink-pipeline").kinds()

    monitor = render("flink-pipeline", {"podMonitor": {"enabled": True}}).of("PodMonitor")

    assert [{"port": "metrics", "interval": "30s"}] == monitor["spec"]["podMetricsEndpoints"]
    assert ["tidemark.io/source"] == monitor["spec"]["podTargetLabels"]


def test_the_operator_runs_the_same_program_from_the_last_state() -> None:
    deployment = render("flink-pipeline", {**LAKE, "mode": "operator", "incarnation": 3}).of("FlinkDeployment")
    job = deployment["spec"]["job"]

    assert "shop-3" == deployment["metadata"]["name"]
    assert ("last-state", "running") == (job["upgradeMode"], job["state"])
    assert ["-py", "/opt/tidemark/application.py", *WORDS] == job["args"]


def test_the_operator_gives_flink_the_settings_of_s3_that_every_engine_has() -> None:
    configuration = render("flink-pipeline", {**LAKE, "mode": "operator"}).of("FlinkDeployment")["spec"][
        "flinkConfiguration"
    ]
    access = S3Access.read({"AWS_ENDPOINT_URL": "http://s3:5000", "AWS_REGION": "eu-central-1"})

    assert access.hadoop() == {name: value for name, value in configuration.items() if name.startswith("fs.s3a.")}
    assert "s3://state/flink/shop/000001" == configuration["execution.checkpointing.dir"]
    assert "s3://state/flink/shop/high-availability" == configuration["high-availability.storageDir"]
