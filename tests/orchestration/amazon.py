"""Moto's server as AWS, mended where it is not like AWS."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import boto3
import pytest
import requests
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.emr import models as emr
from moto.emr.responses import ElasticMapReduceResponse
from moto.emrcontainers import models as containers
from moto.emrserverless import models as serverless
from moto.server import ThreadedMotoServer

from tidemark_contract.outcome import Outcome

ACCOUNT, REGION, BUCKET = "123456789012", "eu-central-1", "lake"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tidemark-jobs"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
SECRET = "tidemark/sources"
PATIENCE_S = 300.0
CLUSTER: dict[str, Any] = {
    "ReleaseLabel": "emr-7.9.0",
    "JobFlowRole": "EMR_EC2_DefaultRole",
    "ServiceRole": "EMR_DefaultRole",
    "Applications": [{"Name": "Spark"}],
    "Instances": {"MasterInstanceType": "m5.xlarge", "InstanceCount": 1},
}
LIVELY = {"KeepJobFlowAliveWhenNoSteps": True}


@dataclass
class Amazon:
    """The server, and what a worker is told of it."""

    endpoint: str
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def environment(self) -> dict[str, str]:
        return {**KEYS, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.endpoint}

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION, endpoint_url=self.endpoint)

    def fresh(self) -> str:
        """Give a prefix that nobody has used."""
        return f"team/{next(self.numbers)}"

    def outcomes(self, lake: str) -> list[str]:
        """Name the outcomes that lie in a lake."""
        bucket, _, prefix = lake.removeprefix("s3://").partition("/")
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/control/_outcomes/")
        return [item["Key"].rpartition("/")[2] for item in found.get("Contents", [])]

    def leave(self, address: str, outcome: Outcome) -> None:
        """Put an outcome where a job would."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=outcome.to_json().encode())


@contextmanager
def made() -> Iterator[Amazon]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        mend_serverless(patch)
        mend_emr(patch)
        mend_containers(patch)
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        try:
            amazon = Amazon("http://{}:{}".format(*server.get_host_and_port()))
            for name, value in amazon.environment.items():
                patch.setenv(name, value)
            requests.post(f"{amazon.endpoint}/moto-api/reset", timeout=60).raise_for_status()
            amazon.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            yield amazon
        finally:
            server.stop()


def mend_serverless(patch: pytest.MonkeyPatch) -> None:
    """Moto's runs are SUCCESS from the start, twice for one token, and not to be listed before there is one."""
    backend = serverless.EMRServerlessBackend
    create, start = backend.create_application, backend.start_job_run

    def create_application(self: Any, **facts: Any) -> Any:
        application = create(self, **facts)
        self.job_runs[application.id] = []
        return application

    def start_job_run(self: Any, **facts: Any) -> Any:
        runs = self.job_runs[facts["application_id"]]
        known = next((run for run in runs if run.client_token == facts["client_token"]), None)
        return known or start(self, **facts)

    def cancel_job_run(self: Any, application_id: str, job_run_id: str) -> tuple[str, str]:
        self.get_job_run(application_id, job_run_id).state = "CANCELLING"
        return application_id, job_run_id

    patch.setattr(serverless, "JOB_STATUS", "SUBMITTED")
    patch.setattr(backend, "create_application", create_application)
    patch.setattr(backend, "start_job_run", start_job_run)
    patch.setattr(backend, "cancel_job_run", cancel_job_run)


def mend_emr(patch: pytest.MonkeyPatch) -> None:
    """Moto cannot cancel steps, ends clusters in an instant, and fails itself where a cluster is not there."""
    backend, list_steps = emr.ElasticMapReduceBackend, emr.ElasticMapReduceBackend.list_steps

    def cancel_steps(self: Any) -> Any:
        step = self.backend.describe_step(self._get_param("ClusterId"), self._get_param("StepIds")[0])
        assert "TERMINATE_PROCESS" == self._get_param("StepCancellationOption")
        if step.state not in ("PENDING", "RUNNING"):
            return ActionResult({"CancelStepsInfoList": [{"StepId": step.id, "Status": "FAILED", "Reason": "it is"}]})
        step.state = "CANCEL_PENDING"
        return ActionResult({"CancelStepsInfoList": [{"StepId": step.id, "Status": "SUBMITTED"}]})

    def steps_if_there(self: Any, cluster_id: str, *states: Any, **facts: Any) -> Any:
        if cluster_id not in self.clusters:
            raise JsonRESTError("InvalidRequestException", f"Cluster id '{cluster_id}' is not valid.")
        return list_steps(self, cluster_id, *states, **facts)

    def terminate(self: Any) -> None:
        if self.state not in ("TERMINATED", "TERMINATED_WITH_ERRORS"):
            self.state = "TERMINATING"

    patch.setattr(ElasticMapReduceResponse, "cancel_steps", cancel_steps, raising=False)
    patch.setattr(backend, "list_steps", steps_if_there)
    patch.setattr(emr.Cluster, "terminate", terminate)
    connection = {"conn_type": "emr", "extra": {**CLUSTER, "Instances": {**CLUSTER["Instances"], **LIVELY}}}
    patch.setenv("AIRFLOW_CONN_EMR_MADE", json.dumps(connection))


def mend_containers(patch: pytest.MonkeyPatch) -> None:
    """Moto's runs are two for one token, and cancelled in an instant."""
    backend, start = containers.EMRContainersBackend, containers.EMRContainersBackend.start_job_run

    def start_job_run(self: Any, **facts: Any) -> Any:
        known = (run for run in self.job_runs.values() if run.client_token == facts["client_token"])
        mine = [run for run in known if run.virtual_cluster_id == facts["virtual_cluster_id"]]
        return mine[0] if mine else start(self, **facts)

    def cancel_job_run(self: Any, job_run_id: str, virtual_cluster_id: str) -> Any:
        run = self.describe_job_run(job_run_id, virtual_cluster_id)
        run.state = "CANCEL_PENDING"
        return run

    patch.setattr(containers, "JOB_STATUS", "SUBMITTED")
    patch.setattr(backend, "start_job_run", start_job_run)
    patch.setattr(backend, "cancel_job_run", cancel_job_run)


def wait_for(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := found()):
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)
    return seen


def keep_secret(amazon: Amazon, settings: dict[str, str]) -> None:
    amazon.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(settings))
