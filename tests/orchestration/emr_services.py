"""The services that run jobs, as moto's server has them: what each was given, and what it says of it."""

import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from moto.core.exceptions import JsonRESTError
from moto.emr import models as emr
from moto.emr.responses import ElasticMapReduceResponse
from moto.emrcontainers import models as containers
from moto.emrcontainers.responses import EMRContainersResponse
from moto.emrserverless import models as serverless
from moto.emrserverless.responses import EMRServerlessResponse

from tests.orchestration.amazon import ACCOUNT, CLUSTER, LIVELY, REGION, ROLE, Amazon
from tests.present import present
from tidemark_contract.outcome import ADDRESS


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
    calls: ClassVar[dict[str, str]]
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
        left = [times]

        def busy(answer: Callable[[], Any]) -> Any:
            if left[0]:
                left[0] -= 1
                error = JsonRESTError(code, "so says the test")
                error.code = status
                raise error
            return answer()

        with self._answering(call, busy):
            yield
        assert not left[0], f"{call} was not asked so often"

    @contextmanager
    def held(self, call: str) -> Iterator[None]:
        """Let the server do what it is asked, and answer when this is over."""
        over = threading.Event()

        def late(answer: Callable[[], Any]) -> Any:
            said = answer()
            over.wait()
            return said

        with self._answering(call, late):
            try:
                yield
            finally:
                over.set()

    @contextmanager
    def _answering(self, call: str, how: Callable[[Callable[[], Any]], Any]) -> Iterator[None]:
        action = self.calls[call]
        answer = getattr(self.responses, action)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.responses, action, lambda responses: how(lambda: answer(responses)))
            yield


class Serverless(Service):
    name = "emr-serverless"
    place = "TIDEMARK_EMR_SERVERLESS_APPLICATION"
    settings: tuple[str, ...] = (place, "TIDEMARK_EMR_SERVERLESS_ROLE")
    variable = "spark.emr-serverless.driverEnv."
    responses: type = EMRServerlessResponse
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
        return [self._run(record, present(record.job_driver)["sparkSubmit"]) for record in records]

    def _run(self, record: Any, driver: dict[str, Any]) -> Run:
        words = shlex.split(driver["sparkSubmitParameters"])
        return Run(self, record, words, driver["entryPoint"], driver["entryPointArguments"])


class Steps(Service):
    """Steps on a cluster that is there."""

    name = "emr"
    unpacks = False
    place = "TIDEMARK_EMR_CLUSTER"
    settings: tuple[str, ...] = (place,)
    responses = ElasticMapReduceResponse
    calls: ClassVar = {
        "start": "add_job_flow_steps",
        "look": "describe_step",
        "find": "list_steps",
        "end": "cancel_steps",
    }
    new: tuple[str, ...] = ("PENDING", "RUNNING")
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
        # A copy each: the server's thread makes others meanwhile.
        backends = list(emr.emr_backends[ACCOUNT].values())
        return {id_: found for backend in backends for id_, found in list(backend.clusters.items())}

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
        made = [cluster for id_, cluster in self._clusters().items() if id_ not in self._before]
        mine = [cluster for cluster in made if hasattr(cluster, "supported_products")]  # else moto is about to make it
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
        # moto says that a job_driver is a text, which it is not.
        mine: list[Any] = [record for record in list(records) if record.virtual_cluster_id == self.cluster]
        return [self._run(record, record.job_driver["sparkSubmitJobDriver"]) for record in mine]


SERVICES = (Serverless(), Steps(), Clusters(), Containers())
