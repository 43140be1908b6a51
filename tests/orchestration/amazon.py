"""Moto's server as AWS, mended where it is not like AWS, and an agent that really runs what it is given to run.

The agent does what EMR does with a spark-submit: the driver's variables become its environment, archives lie unpacked
in its folder, its role gives it credentials. The words are taken as they were sent.
"""

import json
import os
import shlex
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.emr import models as emr
from moto.emr.responses import ElasticMapReduceResponse
from moto.emrcontainers import models as containers
from moto.emrcontainers.responses import EMRContainersResponse
from moto.emrserverless import models as serverless
from moto.emrserverless.responses import EMRServerlessResponse
from moto.server import ThreadedMotoServer

from tests.orchestration.world import REPOSITORY, SPARK_PYTHON
from tidemark_contract.outcome import ADDRESS, Outcome

ACCOUNT, REGION, BUCKET = "123456789012", "eu-central-1", "lake"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tidemark-jobs"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
SECRET = "tidemark/sources"
PATIENCE_S = 120.0
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


@dataclass
class Run:
    """One job that a service was given: its words, and its state there."""

    service: "Service"
    record: Any
    words: list[str]
    entry: str
    arguments: list[str]

    @property
    def name(self) -> str:
        return str(self.record.name)

    @property
    def good(self) -> str:
        return self.service.good

    @property
    def bad(self) -> str:
        return self.service.bad

    @property
    def cancelled(self) -> str:
        return self.service.cancelled

    def tell(self, state: str, says: str = "") -> None:
        """Let the service say that it is so."""
        self.service.tell(self.record, state, says)

    def is_new(self) -> bool:
        return self.record.state in self.service.new

    def is_ending(self) -> bool:
        return self.record.state in self.service.ending

    @property
    def variables(self) -> dict[str, str]:
        return dict(text.split("=", 1) for text in self.service.variables(self.words))

    @property
    def address(self) -> str:
        return self.variables[ADDRESS]


class Service:
    """One of the services that run jobs: its words for states, and how moto's server is asked."""

    name: str
    place: str
    settings: tuple[str, ...]
    variable: str
    responses: type
    calls: dict[str, str]
    new: tuple[str, ...]
    ending: tuple[str, ...]
    good: str
    bad: str
    cancelled: str
    unpacks = True
    """Archives lie unpacked beside the driver."""

    def make(self, amazon: Amazon) -> dict[str, str]:
        """Make a place for jobs that nobody has used; give the settings that lead to it."""
        raise NotImplementedError

    def runs(self) -> list[Run]:
        """Give all that was given to the newest place, in order."""
        raise NotImplementedError

    def tell(self, record: Any, state: str, says: str) -> None:
        record.state_details = says or None
        record.state = state

    def variables(self, words: list[str]) -> list[str]:
        """Give those that the service gives a driver, as NAME=value."""
        settings = [words[n + 1] for n, word in enumerate(words) if word == "--conf"]
        return [text.removeprefix(self.variable) for text in settings if text.startswith(self.variable)]

    @contextmanager
    def failing(self, call: str, code: str, status: int, times: int) -> Iterator[None]:
        """Let the server answer so often that it has too much to do, or has an error of its own."""
        action = self.calls[call]
        left, answer = [times], getattr(self.responses, action)

        def busy(responses: Any) -> Any:
            if left[0]:
                left[0] -= 1
                error = JsonRESTError(code, "so says the test")
                error.code = status
                raise error
            return answer(responses)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.responses, action, busy)
            yield
        assert not left[0], f"{action} was not asked so often"


class Serverless(Service):
    name = "emr-serverless"
    place = "TIDEMARK_EMR_SERVERLESS_APPLICATION"
    settings = (place, "TIDEMARK_EMR_SERVERLESS_ROLE")
    variable = "spark.emr-serverless.driverEnv."
    responses = EMRServerlessResponse
    calls: ClassVar = {
        "start": "start_job_run",
        "look": "get_job_run",
        "find": "list_job_runs",
        "end": "cancel_job_run",
    }
    new = ("SUBMITTED",)
    ending = ("CANCELLING",)
    good, bad, cancelled = "SUCCESS", "FAILED", "CANCELLED"

    def make(self, amazon: Amazon) -> dict[str, str]:
        client = amazon.client("emr-serverless")
        made = client.create_application(name="tidemark", releaseLabel="emr-7.9.0", type="SPARK", clientToken="one")
        self.application = made["applicationId"]
        return {self.place: self.application, "TIDEMARK_EMR_SERVERLESS_ROLE": ROLE}

    def runs(self) -> list[Run]:
        records = serverless.emrserverless_backends[ACCOUNT][REGION].job_runs[self.application]
        return [self._run(record, record.job_driver["sparkSubmit"]) for record in records]

    def _run(self, record: Any, driver: dict[str, Any]) -> Run:
        words = shlex.split(driver["sparkSubmitParameters"])
        return Run(self, record, words, driver["entryPoint"], driver["entryPointArguments"])


class Steps(Service):
    """Steps on a cluster that is there."""

    name = "emr"
    unpacks = False
    place = "TIDEMARK_EMR_CLUSTER"
    settings = (place,)
    responses = ElasticMapReduceResponse
    calls: ClassVar = {
        "start": "add_job_flow_steps",
        "look": "describe_step",
        "find": "list_steps",
        "end": "cancel_steps",
    }
    new = ("PENDING", "RUNNING")
    ending = ("CANCEL_PENDING",)
    good, bad, cancelled = "COMPLETED", "FAILED", "CANCELLED"

    def make(self, amazon: Amazon) -> dict[str, str]:
        wanted = {**CLUSTER, "Instances": {**CLUSTER["Instances"], **LIVELY}}
        self.cluster = amazon.client("emr").run_job_flow(Name="tidemark", **wanted)["JobFlowId"]
        return {self.place: self.cluster}

    def runs(self) -> list[Run]:
        return [self._run(step, step) for step in self._clusters()[self.cluster].steps]

    def tell(self, record: Any, state: str, says: str) -> None:
        record.last_state_change_reason = says or None
        record.state = state

    def variables(self, words: list[str]) -> list[str]:
        return words[1 : words.index("spark-submit")]

    def _clusters(self) -> dict[str, Any]:
        """Give all; moto reads the region from the host's name, and takes one of its own where it is not in it."""
        return {id_: found for backend in emr.emr_backends[ACCOUNT].values() for id_, found in backend.clusters.items()}

    def _run(self, record: Any, step: Any) -> Run:
        at = next(n for n, word in enumerate(step.args) if word.endswith(("main.py", "submit.py")))
        assert "command-runner.jar" == step.jar
        return Run(self, record, step.args[:at], step.args[at], step.args[at + 1 :])


class Clusters(Steps):
    """A cluster for each job."""

    place = "TIDEMARK_EMR_CREATE"
    settings = (place,)
    calls: ClassVar = {
        "start": "run_job_flow",
        "look": "describe_cluster",
        "find": "list_clusters",
        "end": "terminate_job_flows",
    }
    new = ("WAITING",)
    ending = ("TERMINATING",)
    good, bad, cancelled = "TERMINATED", "TERMINATED_WITH_ERRORS", "TERMINATED"

    def make(self, amazon: Amazon) -> dict[str, str]:
        self._before = set(self._clusters())
        for cluster in self._clusters().values():  # they are all in one place, and tests name theirs alike
            cluster.state = "TERMINATED"
        return {self.place: "emr_made"}

    def runs(self) -> list[Run]:
        mine = [cluster for id_, cluster in self._clusters().items() if id_ not in self._before]
        assert not any(cluster.keep_job_flow_alive_when_no_steps or cluster.termination_protected for cluster in mine)
        assert all(cluster.steps[-1].action_on_failure == "TERMINATE_CLUSTER" for cluster in mine)
        return [self._run(cluster, cluster.steps[-1]) for cluster in mine]


class Containers(Serverless):
    name = "emr-on-eks"
    place = "TIDEMARK_EMR_ON_EKS_CLUSTER"
    settings = (place, "TIDEMARK_EMR_ON_EKS_ROLE", "TIDEMARK_EMR_ON_EKS_RELEASE")
    variable = "spark.kubernetes.driverEnv."
    responses = EMRContainersResponse
    calls: ClassVar = {
        "start": "start_job_run",
        "look": "describe_job_run",
        "find": "list_job_runs",
        "end": "cancel_job_run",
    }
    ending = ("CANCEL_PENDING",)
    good, bad, cancelled = "COMPLETED", "FAILED", "CANCELLED"

    def make(self, amazon: Amazon) -> dict[str, str]:
        provider = {"id": "eks", "type": "EKS", "info": {"eksInfo": {"namespace": amazon.fresh().replace("/", "-")}}}
        made = amazon.client("emr-containers").create_virtual_cluster(name="tidemark", containerProvider=provider)
        self.cluster = made["id"]
        return dict(zip(self.settings, (self.cluster, ROLE, "emr-7.9.0-latest"), strict=True))

    def runs(self) -> list[Run]:
        records = containers.emrcontainers_backends[ACCOUNT][REGION].job_runs.values()
        mine = [record for record in list(records) if record.virtual_cluster_id == self.cluster]
        return [self._run(record, record.job_driver["sparkSubmitJobDriver"]) for record in mine]


SERVICES = (Serverless(), Steps(), Clusters(), Containers())


class Agent:
    """Runs what a service is given, each as a process of its own, and tells the service how it goes."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service, self._folder = service, folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Agent":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        for process in self._processes.values():
            kill(process)

    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in sorted(self._folder.glob("*/log")))

    def _work(self) -> None:
        while not self._stop.wait(0.1):
            for run in self._service.runs():
                if run.record.id not in self._processes and run.is_new():
                    self._processes[run.record.id] = self._start(run)
                    run.tell("RUNNING")
                elif process := self._processes.get(run.record.id):
                    self._look(run, process)

    def _look(self, run: Run, process: "subprocess.Popen[bytes]") -> None:
        if run.is_ending():
            kill(process)
            run.tell(run.cancelled)
        elif run.record.state == "RUNNING" and (code := process.poll()) is not None:
            run.tell(run.bad if code else run.good, f"the driver ended with {code}")

    def _start(self, run: Run) -> "subprocess.Popen[bytes]":
        folder = self._folder / run.record.id
        folder.mkdir(parents=True)
        words = unpack(run.words, folder) if self._service.unpacks else run.words
        kept = {name: os.environ[name] for name in ("JAVA_HOME", "PYTHONPATH") if name in os.environ}
        path = f"{SPARK_PYTHON.parent}:{os.environ['PATH']}"
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(
                [*([] if "spark-submit" in words else ["spark-submit"]), *words, run.entry, *run.arguments],
                cwd=folder,
                env={"PATH": path, **kept, **KEYS, **run.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def unpack(words: list[str], folder: Path) -> list[str]:
    """Unpack --archives file.zip#name as folders called name, as a cluster does; give the words without it."""
    if "--archives" not in words:
        return words
    at = words.index("--archives")
    for archive in words[at + 1].split(","):
        file, _, name = archive.partition("#")
        with zipfile.ZipFile(file.removeprefix("file://")) as content:
            content.extractall(folder / name)
    return [*words[:at], *words[at + 2 :]]


def wait_for(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := found()):
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)
    return seen


def jars() -> str:
    """Name the jars of Spark with which a lake on S3 is worked on."""
    folders = (REPOSITORY / ".tidemark" / "jars" / name for name in ("spark", "spark-s3"))
    return ",".join(str(jar) for folder in folders for jar in sorted(folder.glob("*.jar")))


def zip_folder(folder: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w") as archive:
        for file in sorted(folder.rglob("*.yaml")):
            archive.write(file, file.relative_to(folder))
    return to


def keep_secret(amazon: Amazon, settings: dict[str, str]) -> None:
    amazon.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(settings))
