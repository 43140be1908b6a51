"""What Airflow measures arrives at the VictoriaMetrics of Compose, by the lines of docs/orchestration.md."""

import json
import time
from typing import TypedDict
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import pytest
from docker.errors import DockerException

from infra.compose import picture
from tests.compose.conftest import prepared, wait_until_well
from tests.compose.platform import Platform
from tests.integration.containers import metrics_image
from tests.kubernetes.charts import render

pytestmark = [
    pytest.mark.slow,
    pytest.mark.drawn(1, among="what is kept"),
    pytest.mark.integration,
    pytest.mark.timeout(1200),
]
PATIENCE_S = 300.0


class Sample(TypedDict):
    """One series as Prometheus tells it: its labels, and when it had which value."""

    metric: dict[str, str]
    value: tuple[float, str]


@pytest.fixture(scope="module")
def storage() -> str:
    try:
        return metrics_image()
    except DockerException as error:
        pytest.skip(f"VictoriaMetrics has no image here, and none can be made: {error}")


def lines() -> str:
    """Give the settings that the page says."""
    [section] = [text for text in picture.PAGE.read_text().split("\n## ") if text.startswith("Metrics\n")]
    return section.split("```bash\n")[1].split("```")[0]


def test_what_a_scheduler_measures_can_be_asked_for(small: Platform, storage: str) -> None:
    small.overrides["TIDEMARK_METRICS_IMAGE"] = storage
    (small.home / "airflow.env").write_text(lines())
    small.compose("up", "--detach", "--wait", "postgres")
    prepared(small)

    small.compose("--profile", "metrics", "up", "--detach", "--no-deps", "redis", "scheduler", "metrics")
    wait_until_well(small, ("scheduler",))

    beats = wait_for_metric(small, "airflow_scheduler_heartbeat_total")
    assert 0 < float(beats["value"][1])
    assert "airflow" == beats["metric"]["service_name"]
    assert beats["metric"]["service_instance_id"], "two processes of one service would be one series"
    # What the chart observability asks by: it is tried there with what Airflow's template says, and here it is sent.
    assert "default_pool" == wait_for_metric(small, "airflow_pool_scheduled_slots")["metric"]["pool_name"]
    assert "airflow_scheduler_heartbeat_total{" in taken_over(small)


def wait_for_metric(platform: Platform, name: str) -> Sample:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := ask(platform, name)):
        assert time.monotonic() < deadline, platform.compose("logs", "--tail", "30", "scheduler", check=False).said
        time.sleep(2)
    return found[0]


def taken_over(platform: Platform) -> str:
    """Give what Prometheus reads, by the chart's ServiceMonitor."""
    [endpoint] = render("observability").of("ServiceMonitor")["spec"]["endpoints"]
    with urlopen(f"{platform.metrics}{endpoint['path']}?{urlencode(endpoint['params'], doseq=True)}") as answer:
        return str(answer.read().decode())


def ask(platform: Platform, query: str) -> list[Sample]:
    try:
        with urlopen(f"{platform.metrics}/api/v1/query?query={quote(query)}", timeout=10) as answer:
            return list(json.load(answer)["data"]["result"])
    except OSError:
        return []
