"""What is made of a template for one run of a job, and what is read of a Job or a SparkApplication.

Both are plain objects; a Job is run on a cluster (tests/kubernetes/test_launcher.py), Spark's operator is not here.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tidemark_contract.argv import GUARD, Job
from tidemark_contract.errors import SettingsError
from tidemark_contract.outcome import ADDRESS
from tidemark_orchestration.launchers import launcher_for
from tidemark_orchestration.launchers.kubernetes import TEMPLATE, Kubernetes, _state, manifest
from tidemark_orchestration.launchers.local import LocalLauncher
from tidemark_orchestration.launchers.target import State
from tidemark_orchestration.launchers.work import Work

SYNC = Job("sync", "shop")
APPLICATION: dict[str, Any] = {
    "kind": "SparkApplication",
    "metadata": {"name": "jobs-1", "labels": {"team": "y"}},
    "spec": {
        "arguments": ["copy"],
        "driver": {"template": {"spec": {"containers": [{"name": "spark-kubernetes-driver", "env": []}]}}},
    },
}


def test_an_application_gets_its_name_words_and_where_its_outcome_goes_and_the_template_stays() -> None:
    made = manifest(APPLICATION, "tidemark-sync-0-1", SYNC, "s3://lake/outcome.json", None)

    assert {"name": "tidemark-sync-0-1", "labels": {"team": "y", "tidemark.io/launched-by": "airflow"}} == made[
        "metadata"
    ]
    assert SYNC.argv() == made["spec"]["arguments"]
    [container] = made["spec"]["driver"]["template"]["spec"]["containers"]
    assert [{"name": ADDRESS, "value": "s3://lake/outcome.json"}] == container["env"]
    assert ["copy"] == APPLICATION["spec"]["arguments"]


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        ("SparkApplication", {}, State("RUNNING")),
        ("SparkApplication", {"applicationState": {"state": "COMPLETED"}}, State("COMPLETED")),
        ("SparkApplication", {"applicationState": {"state": "FAILED", "errorMessage": "oom"}}, State("FAILED", "oom")),
        ("SparkApplication", {"applicationState": {"state": "SUBMISSION_FAILED"}}, State("FAILED")),
        ("Job", {"conditions": [{"type": "Complete", "status": "False"}]}, State("RUNNING")),
        ("Job", {"conditions": [{"type": "Failed", "status": "True", "reason": "Late"}]}, State("FAILED", "Late")),
    ],
)
def test_a_state_is_read(kind: str, status: dict[str, Any], state: State) -> None:
    assert state == _state({"kind": kind, "metadata": {}, "status": status})


def test_what_is_being_deleted_ends() -> None:
    assert State("TERMINATING") == _state(
        {"kind": "Job", "metadata": {"deletionTimestamp": "2026-01-01"}, "status": {}}
    )


JOB: dict[str, Any] = {
    "kind": "Job",
    "metadata": {"name": "jobs-1"},
    "spec": {
        "backoffLimit": 3,
        "activeDeadlineSeconds": 14400,
        "template": {"spec": {"containers": [{"args": ["/spark-submit", "--x", "/opt/tidemark/submit.py", "copy"]}]}},
    },
}


def test_a_job_is_spark_submits_and_a_guard_is_the_consoles() -> None:
    def words(job: Job) -> list[str]:
        made = manifest(JOB, "tidemark-0-1", job, "s3://lake/outcome.json", None)
        assert 0 == made["spec"]["backoffLimit"]
        return list(made["spec"]["template"]["spec"]["containers"][0]["args"])

    assert ["/spark-submit", "--x", "/opt/tidemark/submit.py", *SYNC.argv()] == words(SYNC)
    assert ["tidemark", "guard", "--source", "shop", "--json"] == words(Job(GUARD, "shop"))


@pytest.mark.parametrize("timeout", [timedelta(hours=24), timedelta(hours=1), None])
def test_a_job_has_the_time_that_its_task_has_and_not_the_templates(timeout: timedelta | None) -> None:
    made = manifest(JOB, "tidemark-copy-0-1", Job("copy", "shop"), "s3://lake/outcome.json", timeout)

    assert (timeout and timeout.total_seconds()) == made["spec"].get("activeDeadlineSeconds")
    assert 14400 == JOB["spec"]["activeDeadlineSeconds"]


def test_a_guard_is_no_application_of_spark() -> None:
    with pytest.raises(SettingsError, match="no SparkApplication"):
        manifest(APPLICATION, "tidemark-guard-0-1", Job(GUARD, "shop"), "s3://lake/outcome.json", None)


@pytest.mark.parametrize(
    ("settings", "local"),
    [
        ({"TIDEMARK_LAUNCHER": "kubernetes"}, False),
        ({"TIDEMARK_LAUNCHER": "kubernetes", "TIDEMARK_JOBS_PYTHON": "/python"}, True),
        ({"TIDEMARK_LAUNCHER": "emr-serverless", "TIDEMARK_JOBS_PYTHON": "/python"}, True),
        ({"TIDEMARK_JOBS_PYTHON": "/python"}, True),
    ],
)
def test_where_a_guard_runs(settings: dict[str, str], local: bool, tmp_path: Path) -> None:
    templates(tmp_path, "shop-mirror")
    told = {TEMPLATE: str(tmp_path / "{source}-{workload}.yaml"), "TIDEMARK_LAKE": "s3://lake/mirror", **settings}
    made = launcher_for(Job(GUARD, "shop"), lambda: Work("k", 1, 1, None), lambda *_: None, told)

    assert local == isinstance(made, LocalLauncher)


def templates(folder: Path, *names: str, kind: str = "Job", namespace: str = "jobs") -> None:
    for name in names:
        document = {"kind": kind, "metadata": {"name": name, "namespace": namespace}}
        (folder / f"{name}.yaml").write_text(json.dumps(document))


def test_each_workload_may_have_a_template_of_its_own(tmp_path: Path) -> None:
    templates(tmp_path, "shop-mirror", "shop-gold")
    place = str(tmp_path / "{source}-{workload}.yaml")
    found = Kubernetes.read({TEMPLATE: place})

    assert ["shop-gold", "shop-mirror"] == sorted(each["metadata"]["name"] for each in found.templates.values())
    assert {Job(name, "shop").at(place) for name in ("sync", "gold")} == set(found.templates)


def test_a_template_that_is_missing_is_named_before_anything_is_started(tmp_path: Path) -> None:
    templates(tmp_path, "shop-mirror")
    found = Kubernetes.read({TEMPLATE: str(tmp_path / "{source}-{workload}.yaml")})

    with pytest.raises(SettingsError, match=r"there is no .*/shop-erase\.yaml"):
        found.start("tidemark-erase-0-1", Job("erase", "shop"), "s3://lake/outcome.json", Work("k", 1, 1, None))


@pytest.mark.parametrize("other", [{"kind": "SparkApplication"}, {"namespace": "elsewhere"}, None])
def test_templates_that_are_not_alike_and_none_are_refused(tmp_path: Path, other: dict[str, str] | None) -> None:
    """Who waits for a job knows its name only: where it is has to be the same for all."""
    if other:
        templates(tmp_path, "shop-mirror")
        templates(tmp_path, "shop-gold", **other)

    with pytest.raises(SettingsError, match="not of one kind and namespace"):
        Kubernetes.read({TEMPLATE: str(tmp_path / "{source}-{workload}.yaml")})
