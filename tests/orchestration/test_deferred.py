"""A job that runs on AWS holds up no worker while it runs, on a real scheduler and triggerer; moto stands for AWS."""

from collections.abc import Iterator

import pytest

from tests.orchestration import amazon as aws
from tests.orchestration.airflow_services import BUCKET, Platform, wait_for
from tests.orchestration.emr_services import SERVICES, Service
from tests.orchestration.test_faults import kill
from tidemark_contract.outcome import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DAG = "copy_shop"
RUNS = f"/api/v2/dags/{DAG}/dagRuns"


class Far:
    """The platform while its jobs run on EMR Serverless."""

    def __init__(self, platform: Platform, service: Service) -> None:
        self.platform, self.service = platform, service

    def begin(self) -> str:
        conf = {"tables": [], "reason": "to see it wait"}
        answer = self.platform.ask("POST", RUNS, body={"logical_date": None, "conf": conf})
        assert answer.ok, answer.text
        return str(answer.json()["dag_run_id"])

    def wait_for(self, run: str, task: str, wanted: str) -> None:
        path = f"{RUNS}/{run}/taskInstances/{task}"
        found = wait_for(
            lambda: (state := self.platform.get(path)["state"]) in (wanted, "success", "failed") and state,
            self.platform.whole_story,
        )
        assert wanted == found, self.platform.whole_story()

    def leave(self, address: str, outcome: Outcome) -> None:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        self.platform.aws("s3").put_object(Bucket=bucket, Key=key, Body=outcome.to_json().encode())


@pytest.fixture
def far(platform: Platform) -> Iterator[Far]:
    [service] = [service for service in SERVICES if service.name == "emr-serverless"]
    with aws.made() as amazon:
        platform.more = {
            "AWS_ENDPOINT_URL_EMR_SERVERLESS": amazon.endpoint,
            "AWS_REGION": aws.REGION,
            "TIDEMARK_LAUNCHER": service.name,
            "TIDEMARK_LAKE": f"s3://{BUCKET}/lake",
            "TIDEMARK_SPARK_ENTRY": "s3://code/main.py",
            "TIDEMARK_SPARK_SPECS": "./specs",
            "TIDEMARK_SPARK_SECRETS": aws.SECRET,
            **service.make(amazon),
        }
        platform.end("scheduler")
        platform.start("scheduler", "triggerer")
        platform.wait_for_dags(DAG)
        assert platform.ask("PATCH", f"/api/v2/dags/{DAG}", body={"is_paused": False}).ok
        yield Far(platform, service)
        assert platform.ask("PATCH", f"/api/v2/dags/{DAG}", body={"is_paused": True}).ok
        platform.more = {}
        platform.end("scheduler", "triggerer")
        platform.start("scheduler")


def test_a_task_waits_in_the_triggerer_and_ends_its_job_when_it_is_ended(
    far: Far, caplog: pytest.LogCaptureFixture
) -> None:
    platform, run = far.platform, far.begin()
    far.wait_for(run, "copy", "deferred")
    kill(platform, "triggerer")
    platform.start("triggerer")
    [job] = far.service.runs()
    far.leave(job.address, Outcome(0, {"tables": 9}))
    job.tell(job.good)
    far.wait_for(run, "copy", "success")
    assert {"tables": 9} == platform.get(f"{RUNS}/{run}/taskInstances/copy/xcomEntries/return_value")["value"]

    far.wait_for(run, "sync", "deferred")
    _, job = far.service.runs()
    # Only who waits in the triggerer asks for one job; before that nobody there could end it.
    wait_for(lambda: f"/jobruns/{job.record.id} " in caplog.text, platform.whole_story)
    answer = platform.ask("PATCH", f"{RUNS}/{run}/taskInstances/sync", body={"new_state": "failed"})
    assert answer.ok, answer.text
    wait_for(job.is_ending, platform.whole_story)
