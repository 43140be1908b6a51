"""Large results (XCom) lie in object storage, and task logs outlive the worker's disk; on the running platform."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.orchestration.airflow_services import BUCKET, KEY, REGION, THRESHOLD, Platform, wait_for

pytestmark = pytest.mark.slow
TASKS = {"small": 102, "large": 5002, "taken": 4}


@pytest.fixture(scope="module")
def run(platform: Platform) -> str:
    """Run the DAG that gives results; give its run."""
    platform.wait_for_dags("results")
    run, state = platform.run_dag("results")
    assert state == "success"
    return run


def at(run: str, task: str) -> str:
    return f"/api/v2/dags/results/dagRuns/{run}/taskInstances/{task}"


def stored(platform: Platform, run: str, task: str) -> Any:
    """Give what Airflow's database has of a result."""
    return platform.get(f"{at(run, task)}/xcomEntries/return_value?stringify=false")["value"]


def log_of(platform: Platform, run: str, task: str) -> str:
    """Give what the API says the log is, with where it found it."""
    tries = platform.get(at(run, task))["try_number"]
    return json.dumps(platform.get(f"{at(run, task)}/logs/{tries}?full_content=true")["content"])


def test_a_result_below_the_threshold_is_in_the_database_and_a_larger_one_on_s3(platform: Platform, run: str) -> None:
    path = stored(platform, run, "large")

    assert "r" * 100 == stored(platform, run, "small")
    assert 5000 == stored(platform, run, "taken"), "the task behind it has read the whole"
    assert path.startswith(f"s3://{BUCKET}/xcom/results/{run}/large/")
    [(key, facts)] = platform.objects(f"xcom/results/{run}/large").items()
    assert path == f"s3://{BUCKET}/{key}"
    assert TASKS["small"] < THRESHOLD < TASKS["large"] == facts["ContentLength"]
    assert ("aws:kms", KEY) == (facts["ServerSideEncryption"], facts["SSEKMSKeyId"])


def test_a_log_is_read_from_s3_after_the_disk_is_gone(platform: Platform, run: str) -> None:
    # A log goes to S3 after its task has ended: the run may be told to have ended before.
    wait_for(lambda: len(platform.objects(f"logs/dag_id=results/run_id={run}/")) == len(TASKS), platform.whole_story)
    shutil.rmtree(platform.logs / "dag_id=results")

    said = log_of(platform, run, "small")

    assert "a line of the small task" in said
    assert f"s3://{BUCKET}/logs/dag_id=results/run_id={run}/task_id=small/attempt=1.log" in said


def test_a_result_that_is_cleared_is_taken_from_s3(platform: Platform, run: str) -> None:
    [before] = platform.objects(f"xcom/results/{run}/large")
    asked = {"dry_run": False, "dag_run_id": run, "task_ids": ["large"], "only_failed": False}
    assert platform.ask("POST", "/api/v2/dags/results/clearTaskInstances", body=asked).ok
    wait_for(lambda: platform.get(at(run, "large"))["try_number"] == 2, platform.whole_story)
    wait_for(lambda: platform.get(f"/api/v2/dags/results/dagRuns/{run}")["state"] == "success", platform.whole_story)

    [after] = platform.objects(f"xcom/results/{run}/large")
    assert before != after
    assert stored(platform, run, "large").endswith(after)


@contextmanager
def without_a_bucket(platform: Platform) -> Iterator[None]:
    """Let S3 take nothing for a while."""
    s3 = platform.aws("s3")

    def gone() -> bool:
        """A bucket goes when it is empty, and the log of a task that has ended may still come."""
        for key in platform.objects(""):
            s3.delete_object(Bucket=BUCKET, Key=key)
        with suppress(s3.exceptions.ClientError):
            s3.delete_bucket(Bucket=BUCKET)
            return True
        return False

    wait_for(gone, platform.whole_story)
    try:
        yield
    finally:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


def test_what_s3_did_not_take_is_told_and_stays_where_it_was_written(platform: Platform) -> None:
    with without_a_bucket(platform):
        run, state = platform.run_dag("results")
        told = f"Could not write logs to s3://{BUCKET}/logs/dag_id=results/run_id={run}/task_id=small/"
        wait_for(lambda: told in platform.said("scheduler"), platform.whole_story)  # after the task has ended
        meanwhile = platform.ask("GET", f"{at(run, 'small')}/logs/1")

    assert "failed" == state, "a large result has nowhere to go"
    assert 500 == meanwhile.status_code, "Airflow does not look at the disk while S3 refuses"
    assert "a line of the small task" in log_of(platform, run, "small"), "it does afterwards"
