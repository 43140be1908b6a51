"""What Airflow measures arrives at the VictoriaMetrics of Compose, by the lines of docs/orchestration.md."""

import json
import time
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote
from urllib.request import urlopen

import docker
import pytest
from docker.errors import DockerException, ImageNotFound

from infra.compose import picture
from tests.compose.conftest import prepared, wait_until_well
from tests.compose.platform import Platform

pytestmark = [
    pytest.mark.slow,
    pytest.mark.drawn(1, among="what is kept"),
    pytest.mark.integration,
    pytest.mark.timeout(1200),
]
OFFICIAL, OURS = "victoriametrics/victoria-metrics:v1.112.0", "tidemark-metrics:test"
PATIENCE_S = 300.0


class Sample(TypedDict):
    """One series as Prometheus tells it: its labels, and when it had which value."""

    metric: dict[str, str]
    value: tuple[float, str]


@pytest.fixture(scope="module")
def storage() -> str:
    """Give the official image if it is here, else one that Debian's packages make."""
    client = docker.from_env(timeout=600)
    try:
        client.images.get(OFFICIAL)
    except ImageNotFound:
        try:
            client.images.build(path=str(Path(__file__).with_name("metrics")), tag=OURS, rm=True)
        except DockerException as error:
            pytest.skip(f"{OFFICIAL} is not here, and none can be made: {error}")
        return OURS
    finally:
        client.close()
    return OFFICIAL


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


def wait_for_metric(platform: Platform, name: str) -> Sample:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := ask(platform, name)):
        assert time.monotonic() < deadline, platform.compose("logs", "--tail", "30", "scheduler", check=False).said
        time.sleep(2)
    return found[0]


def ask(platform: Platform, query: str) -> list[Sample]:
    try:
        with urlopen(f"{platform.metrics}/api/v1/query?query={quote(query)}", timeout=10) as answer:
            return list(json.load(answer)["data"]["result"])
    except OSError:
        return []
