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
from moto.emrserverless import models as serverless
from moto.emrserverless.responses import EMRServerlessResponse
from moto.server import ThreadedMotoServer

from tests.orchestration.world import REPOSITORY, SPARK_PYTHON
from tidemark_contract.outcome import ADDRESS, Outcome

ACCOUNT, REGION, BUCKET = "123456789012", "eu-central-1", "lake"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tidemark-jobs"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
SECRET = "tidemark/sources"
PATIENCE_S = 300.0


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
        settings = [self.words[n + 1] for n, word in enumerate(self.words) if word == "--conf"]
        beginning = self.service.driver_variable
        mine = [text.removeprefix(beginning) for text in settings if text.startswith(beginning)]
        return dict(text.split("=", 1) for text in mine)

    @property
    def address(self) -> str:
        return self.variables[ADDRESS]


class Service:
    """One of the services that run jobs: its words for states, and how moto's server is asked."""

    name: str
    place: str
    settings: tuple[str, ...]
    driver_variable: str
    responses: type
    calls: dict[str, str]
    new: tuple[str, ...]
    ending: tuple[str, ...]
    good: str
    bad: str
    cancelled: str

    def make(self, amazon: Amazon) -> dict[str, str]:
        """Make a place for jobs that nobody has used; give the settings that lead to it."""
        raise NotImplementedError

    def runs(self) -> list[Run]:
        """Give all that was given to the newest place, in order."""
        raise NotImplementedError

    def tell(self, record: Any, state: str, says: str) -> None:
        record.state_details = says or None
        record.state = state

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
    driver_variable = "spark.emr-serverless.driverEnv."
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


SERVICES = (Serverless(),)


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
        words = unpack(run.words, folder)
        kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "PYTHONPATH") if name in os.environ}
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(
                [str(SPARK_PYTHON.with_name("spark-submit")), *words, run.entry, *run.arguments],
                cwd=folder,
                env={**kept, **KEYS, **run.variables},
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
