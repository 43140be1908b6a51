"""Celery workers behind SQS, which moto plays, and a local executor beside them: what may happen to a queue."""

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.orchestration.airflow_services import BUCKET, REGION, Platform, healthy, wait_for
from tests.orchestration.test_faults import WELL, Runs, kill

pytestmark = [pytest.mark.slow, pytest.mark.drawn(2, among="queues"), pytest.mark.timeout(900)]
QUEUE = "default"
LOCAL = "here:tidemark_orchestration.local_executor.MaskedLocalExecutor"


@contextmanager
def behind(platform: Platform, broker: Mapping[str, str], *, remote_control: bool) -> Iterator[Platform]:
    """Give the platform with two executors, of which the first has a worker behind a broker."""
    on_s3 = {"s3_bucket": BUCKET, "s3_base_path": "celery/", "s3_region": REGION, "s3_endpoint_url": platform.s3}
    platform.more = {
        "AIRFLOW__CORE__EXECUTOR": f"CeleryExecutor,{LOCAL}",
        "AIRFLOW__CELERY__RESULT_BACKEND": "tidemark_orchestration.s3_results:S3Results",
        "AIRFLOW__CELERY__OPERATION_TIMEOUT": "30",  # one second by default, and sent again
        "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": json.dumps({**on_s3, "worker_enable_remote_control": remote_control}),
        **broker,
    }
    platform.end("scheduler", "dag-processor")  # which looks whether there is an executor of that name
    platform.start("scheduler", "dag-processor", "worker")
    wait_for(lambda: healthy(platform, *WELL), platform.whole_story)
    yield platform
    platform.more = {}
    platform.end("scheduler", "dag-processor", "worker")
    platform.start("scheduler", "dag-processor")
    wait_for(lambda: healthy(platform, *WELL), platform.whole_story)


@pytest.fixture(scope="module")
def queued(platform: Platform) -> Iterator[Platform]:
    url = platform.aws("sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
    broker = {
        "AIRFLOW__CELERY__BROKER_URL": "sqs://",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__REGION": REGION,
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__PREDEFINED_QUEUES": json.dumps({QUEUE: {"url": url}}),
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "43200",
    }
    with behind(platform, broker, remote_control=False) as made:
        yield made


def test_a_task_runs_where_it_says(queued: Platform) -> None:
    """The worker knows no database, and the other executor runs beside the scheduler."""
    queued.wait_for_dags("here_and_there")
    run, state = queued.run_dag("here_and_there")

    assert "success" == state, queued.whole_story()
    path = f"/api/v2/dags/here_and_there/dagRuns/{run}/taskInstances/{{}}/xcomEntries/return_value"
    assert ["worker", ""] == [queued.get(path.format(name))["value"] for name in ("CeleryExecutor", "here")]


def test_a_worker_that_is_killed_has_its_tasks_done_by_another(queued: Platform, tmp_path: Path) -> None:
    """The queue hides their messages for hours; the scheduler sees that nobody works on them."""
    runs = Runs(queued, "many", tmp_path)
    begun = [runs.begin() for _ in range(2)]
    runs.wait_for("begin", 2)

    kill(queued, "worker")
    queued.start("worker")

    runs.wait_for("begin", 4)
    runs.end_well(*begun)


def test_a_broker_that_is_away_loses_no_task(queued: Platform, tmp_path: Path) -> None:
    runs = Runs(queued, "many", tmp_path)
    queued.amazon.send_signal(signal.SIGSTOP)
    try:
        begun = [runs.begin(wait=False) for _ in range(3)]
        time.sleep(20)
        assert 0 == runs.left("begin").total()
    finally:
        queued.amazon.send_signal(signal.SIGCONT)

    runs.end_well(*begun)
