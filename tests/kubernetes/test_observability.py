"""What the chart observability promises: alerts that fire when they should, and no query that finds nothing."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from tests.integration.containers import LOCAL_ENGINE, metrics_image, unavailable
from tests.kubernetes.charts import CHARTS, ROOT, Rendered, render
from tests.kubernetes.cluster import wait_for
from tests.kubernetes.measured import Stream, airflow, stream
from tests.kubernetes.prometheus import Prometheus, build, prometheus, promtool, running
from tests.kubernetes.test_charts import pods_of
from tidemark.local.ports import free_port
from tidemark_contract.limits import Limits

SOURCE, JOB = 'tidemark_io_source="shop", namespace="mirror"', "flink_jobmanager_job_"
TASK, RUN = "flink_taskmanager_job_task_operator_", "airflow_dagrun_duration_failed_milliseconds_count"
HEARTBEAT = "airflow_scheduler_heartbeat_total"
FAILED = RUN + '{dag_id="sync_shop", service_instance_id="1"}'


def real(test: Any) -> Any:
    """It may have an image to build first."""
    return pytest.mark.slow(pytest.mark.integration(pytest.mark.timeout(1800)(test)))


def of(name: str) -> str:
    return f"{name}{{{SOURCE}}}"


# A series for each minute, in promtool's words: all is well. The clock begins at 0, and so does the newest checkpoint.
WELL = {
    f'up{{{SOURCE}, pod="jobmanager"}}': "1x90",
    f'up{{{SOURCE}, pod="taskmanager"}}': "1x90",
    of(f"{TASK}durableLsn"): "5x90",
    of(f"{TASK}lagSeconds"): "3x90",
    of(f"{TASK}lagBytes"): "1000x90",
    of(f"{JOB}numRestarts"): "0x90",
    of(f"{JOB}lastCheckpointCompletedTimestamp"): "0+60000x90",
    HEARTBEAT + '{service_instance_id="1"}': "0+12x90",
    "airflow_dag_processing_import_errors": "0x90",
}
NOT_RUNNING = {of(f"{TASK}{name}"): "" for name in ("durableLsn", "lagSeconds", "lagBytes")}
GONE = {name: "" for name in WELL if "shop" in name}
# What is otherwise than well, and who is told of it at the 60th minute.
SCENARIOS: dict[str, tuple[dict[str, str], set[str]]] = {
    "all is well": ({}, set()),
    "a stream was taken away": (GONE, {"TidemarkStreamAbsent"}),
    "its job has failed": (NOT_RUNNING, {"TidemarkStreamDoesNotRun"}),
    "its pods cannot be reached": (
        {**NOT_RUNNING, **{name: "0x90" for name in WELL if name.startswith("up")}},
        {"TidemarkStreamDoesNotRun"},
    ),
    "it is away since two minutes, for an upgrade": (dict.fromkeys(NOT_RUNNING, "5x57 stale"), set()),
    "it is installed anew": (dict.fromkeys(GONE, "1x57 stale"), set()),
    "no checkpoint since the 40th minute": (
        {of(f"{JOB}lastCheckpointCompletedTimestamp"): "0+60000x40 2400000x50"},
        {"TidemarkNoCheckpoint"},
    ),
    "no checkpoint ever": ({of(f"{JOB}lastCheckpointCompletedTimestamp"): "-1x90"}, {"TidemarkNoCheckpoint"}),
    "no checkpoint, for it does not run": (
        {**NOT_RUNNING, of(f"{JOB}lastCheckpointCompletedTimestamp"): "-1x90"},
        {"TidemarkStreamDoesNotRun"},
    ),
    "the newest checkpoint is too old since a minute": (
        {of(f"{JOB}lastCheckpointCompletedTimestamp"): "0+60000x53 3180000x36"},
        set(),
    ),
    "it is a quarter of an hour behind": ({of(f"{TASK}lagSeconds"): "900x90"}, {"TidemarkStreamLags"}),
    "it was behind, and has caught up": ({of(f"{TASK}lagSeconds"): "900x55 0x35"}, set()),
    "it is behind since two minutes": ({of(f"{TASK}lagSeconds"): "0x57 900x32"}, set()),
    "it has 11 GB to read": ({of(f"{TASK}lagBytes"): "11000000000x90"}, {"TidemarkSourceKeepsLog"}),
    "it has 9 GB to read": ({of(f"{TASK}lagBytes"): "9000000000x90"}, set()),
    "it has 11 GB to read since two minutes": ({of(f"{TASK}lagBytes"): "1000x57 11000000000x32"}, set()),
    "it restarts every five minutes": ({of(f"{JOB}numRestarts"): "0+0.2x90"}, {"TidemarkStreamRestarts"}),
    "it was restarted once": ({of(f"{JOB}numRestarts"): "0x50 1x40"}, set()),
    "its JobManager is another, that counts anew": ({of(f"{JOB}numRestarts"): "4x50 0x40"}, set()),
    "the schedulers hang": (
        {HEARTBEAT + '{service_instance_id="1"}': "0+12x40 480x50"},
        {"TidemarkAirflowSchedulesNothing"},
    ),
    "the schedulers hang since seven minutes": (
        {HEARTBEAT + '{service_instance_id="1"}': "0+12x53 636x36"},
        set(),
    ),
    "nothing comes from Airflow": (
        {name: "" for name in WELL if name.startswith("airflow")},
        {"TidemarkAirflowSchedulesNothing"},
    ),
    "one of two schedulers has ended": (
        {HEARTBEAT + '{service_instance_id="2"}': "0+12x40"},
        set(),
    ),
    "a DAG's first run fails": ({FAILED: "_x55 1x35"}, {"TidemarkRunFailed"}),
    "a DAG's next run fails": ({FAILED: "1x55 2x35"}, {"TidemarkRunFailed"}),
    "a run failed an hour ago": ({FAILED: "1x90"}, set()),
    "a DAG file is broken": ({"airflow_dag_processing_import_errors": "2x90"}, {"TidemarkDagUnreadable"}),
    "a DAG file is broken since five minutes": ({"airflow_dag_processing_import_errors": "0x54 1x35"}, set()),
}
FIRING = 'label_replace(count by (alertname) (ALERTS{alertstate="firing"}), "when", "%s", "", "")'


def scenario(when: str, changes: dict[str, str], alerts: set[str]) -> dict[str, Any]:
    """Give it as promtool takes it."""
    series = [{"series": name, "values": values} for name, values in {**WELL, **changes}.items() if values]
    expected = [{"labels": f'{{alertname="{alert}", when="{when}"}}', "value": 1} for alert in sorted(alerts)]
    asked = {"expr": FIRING % when, "eval_time": "60m", "exp_samples": expected}
    return {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}


def observability(**values: Any) -> Rendered:
    return render("observability", values, name="observability")


def rules(rendered: Rendered) -> list[dict[str, Any]]:
    return [rule for group in rendered.of("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]


def panels(rendered: Rendered) -> dict[str, str]:
    """Every query of every panel, as Grafana would ask it."""
    boards = [json.loads(text) for d in rendered.documents if d["kind"] == "ConfigMap" for text in d["data"].values()]
    return {
        f"{board['title']}: {panel['title']} {target['refId']}": target["expr"]
        .replace("$source", ".+")
        .replace("$__rate_interval", "2m")
        for board in boards
        for panel in board["panels"]
        for target in panel["targets"]
    }


@pytest.fixture(scope="module")
def tool() -> None:
    if why := unavailable() or build():
        pytest.skip(why)


@dataclass(frozen=True)
class World:
    """A stream, an Airflow's voice, and a Prometheus that hears both as the chart's monitors say."""

    stream: Stream
    prometheus: Prometheus
    rendered: Rendered


@pytest.fixture(scope="module")
def world(tool: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not (LOCAL_ENGINE and sys.platform == "linux"):
        pytest.skip(
            "a Prometheus in a container reaches this machine's loopback only where Docker has no machine of its own"
        )
    rendered = observability(sources=["shop", "gone"], limits={"awayFor": "2s"})
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port() or 0
    folder.chmod(0o755)
    (folder / "rules.yaml").write_text(yaml.safe_dump(rendered.of("PrometheusRule")["spec"]))
    with (
        collector(rendered) as address,
        airflow(f"http://{address}/opentelemetry/v1/metrics"),
        stream(tmp_path_factory.mktemp("stream")) as shop,
    ):
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [scraped_pods(shop), scraped_service(rendered, address)],
        }
        with prometheus(folder, port, settings) as server:
            shop.write(1, 500)
            heard = lambda: server.query(f"changes({HEARTBEAT}[1m]) > 0 and on () {TASK}changes == 500")  # noqa: E731
            wait_for(heard, "what both say", str)
            yield World(shop, server, rendered)


@contextmanager
def collector(rendered: Rendered) -> Iterator[str]:
    """Run the collector with the words of its pod, as its pod may; give its address on this machine."""
    [pod] = pods_of(rendered)
    port = free_port() or 0
    may = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    place = {"tmpfs": {"/storage": "mode=1777"}, "ports": {"8428/tcp": ("127.0.0.1", port)}}
    with running(metrics_image(), pod["containers"][0]["args"], user=user, **may, **place):
        wait_for(lambda: healthy(port), "the collector", str)
        yield f"127.0.0.1:{port}"


def healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def scraped_pods(shop: Stream) -> dict[str, Any]:
    """What the operator makes of the PodMonitor: its pods, with those of their labels that it names."""
    pipeline = render("flink-pipeline", {"podMonitor": {"enabled": True}})
    labels = pipeline.of("Deployment", "taskmanager")["spec"]["template"]["metadata"]["labels"]
    taken = {re.sub(r"\W", "_", name): labels[name] for name in pipeline.of("PodMonitor")["spec"]["podTargetLabels"]}
    return {"job_name": "mirror/shop", "static_configs": [{"targets": shop.targets(), "labels": taken}]}


def scraped_service(rendered: Rendered, address: str) -> dict[str, Any]:
    [endpoint] = rendered.of("ServiceMonitor")["spec"]["endpoints"]
    return {
        "job_name": "collector",
        "metrics_path": endpoint["path"],
        "params": endpoint["params"],
        "honor_labels": endpoint["honorLabels"],
        "static_configs": [{"targets": [address]}],
    }


@real
@pytest.mark.usefixtures("tool")
def test_an_alert_fires_when_it_should_and_at_no_other_time(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(observability(sources=["shop"]).of("PrometheusRule")["spec"]))
    tests = [scenario(when, changes, alerts) for when, (changes, alerts) in SCENARIOS.items()]
    cases = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(cases))

    assert "SUCCESS: 9 rules found" in promtool(tmp_path, "check", "rules", "rules.yaml")
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", "cases.yaml")


def test_every_alert_is_fired_by_a_scenario() -> None:
    alerts = {rule["alert"] for rule in rules(observability(sources=["shop"]))}

    assert alerts == {alert for _, fired in SCENARIOS.values() for alert in fired}


@real
def test_every_query_of_every_panel_finds_something(world: World) -> None:
    queries = panels(world.rendered)

    assert len(queries) > 20
    for where, query in queries.items():
        # What took longer than a second to answer is for a moment not known.
        wait_for(partial(world.prometheus.query, query), where, str, within_s=120)


@real
def test_every_metric_that_is_named_is_measured(world: World) -> None:
    """By our stream, and by Airflow's own template and code."""
    expressions = [*panels(world.rendered).values(), *(rule["expr"] for rule in rules(world.rendered))]
    named = {name for expression in expressions for name in re.findall(r"\b(?:flink|airflow)_\w+", expression)}

    assert len(named) > 25
    wait_for(lambda: named <= world.prometheus.names(), "all", lambda: str(named - world.prometheus.names()))


@real
def test_nothing_is_taken_over_that_the_process_of_a_task_says_of_itself(world: World) -> None:
    assert not [name for name in world.prometheus.names() if name.startswith(("airflow_ti_", "airflow_task_duration"))]


@real
def test_what_is_wrong_fires_in_a_real_prometheus_and_nothing_else(world: World) -> None:
    expected = {("TidemarkStreamAbsent", "gone"), ("TidemarkRunFailed", "sync_shop")}
    # A stream that is not heard for two seconds is away, for a moment.
    wait_for(lambda: expected == world.prometheus.firing(), "the alerts", lambda: str(world.prometheus.firing()))

    found = [rule for group in world.prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {"ok"} == {rule["health"] for rule in found}
    assert len(rules(world.rendered)) == len(found)


@real
def test_a_stream_that_ends_is_told(world: World) -> None:
    world.stream.run("stop")

    ended = ("TidemarkStreamDoesNotRun", "shop")
    wait_for(lambda: ended in world.prometheus.firing(), "the alert", lambda: str(world.prometheus.firing()))


def test_limits_that_the_guard_has_too_are_the_same() -> None:
    limits, guards = yaml.safe_load((CHARTS / "observability" / "values.yaml").read_text())["limits"], Limits.read({})

    assert (guards.wal_bytes, guards.checkpoint_s) == (limits["lagBytes"], limits["checkpointSeconds"])


def section(title: str) -> str:
    page = (ROOT / "docs" / "deployment.md").read_text()
    [found] = [text for text in page.split("\n## ") if text.startswith(f"{title}\n")]
    return found


def test_every_alert_says_what_it_means_and_the_page_says_what_to_do() -> None:
    table = section("When an alert fires")

    for rule in rules(observability(sources=["shop"])):
        assert {"summary", "description", "cure"} == set(rule["annotations"])
        assert rule["annotations"]["cure"].endswith("; docs/deployment.md#when-an-alert-fires")
        assert f"| `{rule['alert']}` | {rule['labels']['severity']} |" in table


def test_by_the_values_of_the_page_airflow_sends_to_the_collector_and_reaches_it() -> None:
    values = yaml.safe_load(section("What is measured").split("```yaml\n")[1].split("```")[0])
    service = observability().of("Service")
    [port] = service["spec"]["ports"]
    address = f"http://{service['metadata']['name']}.monitoring:{port['port']}/"
    rendered = render("airflow", values, name="airflow")

    assert values["env"]["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"].startswith(address)
    for name in ("scheduler", "dag-processor", "triggerer", "task", "execution", "api-server"):
        egress = rendered.of("NetworkPolicy", f"airflow-{name}")["spec"]["egress"]
        assert port["port"] in [each["port"] for rule in egress for each in rule["ports"]]


def test_by_the_values_of_the_page_airflow_is_told_what_compose_tells_it() -> None:
    values = yaml.safe_load(section("What is measured").split("```yaml\n")[1].split("```")[0])["env"]
    lines = (ROOT / "docs" / "orchestration.md").read_text().split("\n## Metrics\n")[1].split("```")[1]
    compose = dict(line.split("=", 1) for line in lines.splitlines()[1:])

    address = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
    assert {**compose, address: values[address]} == values
    assert compose[address].rpartition(":")[2] == values[address].rpartition(":")[2]


def test_severities_are_called_as_the_topics() -> None:
    topics = (ROOT / "infra/terraform/modules/messaging/main.tf").read_text()

    for rule in rules(observability(sources=["shop"])):
        assert f'"{rule["labels"]["severity"]}"' in topics


def test_without_airflow_nothing_of_it_is_there() -> None:
    rendered = observability(airflow={"enabled": False})

    assert {"PrometheusRule", "ConfigMap"} == rendered.kinds()
    assert {"tidemark-streams"} == {group["name"] for group in rendered.of("PrometheusRule")["spec"]["groups"]}
    assert not [query for query in panels(rendered).values() if "airflow_" in query]


def test_grafana_and_prometheus_find_what_is_theirs() -> None:
    rendered = observability(labels={"release": "prometheus"})

    for kind in ("PrometheusRule", "ServiceMonitor"):
        assert "prometheus" == rendered.of(kind)["metadata"]["labels"]["release"]
    for name in ("streams", "airflow"):
        assert "1" == rendered.of("ConfigMap", name)["metadata"]["labels"]["grafana_dashboard"]


def test_only_airflow_and_prometheus_reach_the_collector_and_it_reaches_nobody() -> None:
    policy = observability().of("NetworkPolicy")["spec"]
    [rule] = policy["ingress"]

    assert [] == policy["egress"]
    assert [8428] == [port["port"] for port in rule["ports"]]
    name = "kubernetes.io/metadata.name"
    assert ["airflow", "monitoring"] == [each["namespaceSelector"]["matchLabels"][name] for each in rule["from"]]


def test_the_collector_is_told_what_compose_tells_it_but_for_how_long_it_keeps() -> None:
    compose = yaml.safe_load((ROOT / "infra" / "compose" / "compose.yaml").read_text())["services"]["metrics"]
    [pod] = pods_of(observability())
    [container] = pod["containers"]

    assert container["image"] in compose["image"]
    assert {"-retentionPeriod=1d"} == set(container["args"]) - set(compose["command"])
