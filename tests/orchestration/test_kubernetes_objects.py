"""What is made of a template for one run of a job, and what is read of a Job or a SparkApplication.

Both are plain objects; a Job is run on a cluster (tests/kubernetes/test_launcher.py), Spark's operator is not here.
"""

from typing import Any

import pytest

from tidemark_contract.argv import Job
from tidemark_contract.outcome import ADDRESS
from tidemark_orchestration.launchers.kubernetes import _state, manifest
from tidemark_orchestration.launchers.target import State

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
    made = manifest(APPLICATION, "tidemark-sync-0-1", SYNC, "s3://lake/outcome.json")

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
