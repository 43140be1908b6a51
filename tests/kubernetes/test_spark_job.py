"""What each template of the chart spark-job promises."""

from typing import Any

import yaml

from tests.kubernetes.charts import render


def submit(values: dict[str, Any]) -> list[str]:
    [container] = render("spark-job", values).of("Job")["spec"]["template"]["spec"]["containers"]
    return [str(word) for word in container["args"]]


def test_the_pod_of_a_job_is_its_driver() -> None:
    words = submit({"job": "copy", "arguments": ["--timeout", "60"]})

    assert "client" == words[words.index("--deploy-mode") + 1]
    assert "spark.driver.host=$(POD_IP)" in words
    assert ["/opt/tidemark/submit.py", "copy", "--source", "shop", "--timeout", "60"] == words[-6:]


def test_only_what_may_succeed_later_is_run_again() -> None:
    spec = render("spark-job").of("Job")["spec"]
    rule = spec["podFailurePolicy"]["rules"][1]

    assert 3 == spec["backoffLimit"]
    assert ("FailJob", "NotIn", [75, 137, 143]) == (
        rule["action"],
        rule["onExitCodes"]["operator"],
        rule["onExitCodes"]["values"],
    )


def test_a_revision_is_a_run_of_its_own() -> None:
    """A Job cannot be changed."""
    assert "shop-1" == render("spark-job").of("Job")["metadata"]["name"]


def test_executors_know_the_lake_and_not_the_source() -> None:
    executor = yaml.safe_load(render("spark-job").of("ConfigMap", "-pods")["data"]["executor.yaml"])["spec"]
    driver = render("spark-job").of("Job")["spec"]["template"]["spec"]

    assert "secrets" in {volume["name"] for volume in driver["volumes"]}
    assert {"work", "tmp"} == {volume["name"] for volume in executor["volumes"]}
    assert not executor["automountServiceAccountToken"]


def test_a_driver_may_make_its_executors() -> None:
    [rule] = render("spark-job").of("Role")["rules"]

    assert {"pods", "services", "configmaps"} <= set(rule["resources"])


def test_the_operator_runs_the_same_program() -> None:
    spec = render("spark-job", {"mode": "application", "job": "verify"}).of("SparkApplication")["spec"]

    assert ("Python", "cluster", "local:///opt/tidemark/submit.py") == (
        spec["type"],
        spec["mode"],
        spec["mainApplicationFile"],
    )
    assert ["verify", "--source", "shop"] == spec["arguments"]
    assert {"type": "Never"} == spec["restartPolicy"]


def test_a_schedule_never_runs_two_at_once() -> None:
    spec = render("spark-job", {"mode": "scheduled", "schedule": "*/5 * * * *"}).of("ScheduledSparkApplication")["spec"]

    assert ("*/5 * * * *", "Forbid") == (spec["schedule"], spec["concurrencyPolicy"])
    assert ["sync", "--source", "shop"] == spec["template"]["arguments"]
