"""`kubernetes`: a job is a Job that runs spark-submit, or a SparkApplication of Spark's operator.

What it looks like stands in a file, as the chart spark-job renders it: image, volumes, resources and rights are the
cluster's affair. Of that only the name, the job's words, its time and where its outcome goes are ours. There may be a
file for each source and workload, which then have accounts of their own: all of one kind, in one namespace.
"""

import copy
import glob
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tidemark_contract.argv import GUARD, Job
from tidemark_contract.errors import PlatformRefused, PlatformUnavailable, SettingsError
from tidemark_contract.outcome import ADDRESS
from tidemark_orchestration.launchers.spark_submit import needed
from tidemark_orchestration.launchers.target import Remote, State, Target
from tidemark_orchestration.launchers.work import Work

TEMPLATE, CONNECTION = "TIDEMARK_KUBERNETES_TEMPLATE", "TIDEMARK_KUBERNETES_CONNECTION"
_MEANING = {TEMPLATE: "the file with a Job or SparkApplication, as `helm template infra/helm/spark-job` renders it"}
_PATIENT = {"_request_timeout": (5, 30)}
_LABEL = {"tidemark.io/launched-by": "airflow"}
_ENTRY = "/opt/tidemark/submit.py"
GONE = "GONE"


@dataclass(frozen=True)
class Kubernetes(Target):
    """One namespace of a cluster: that of the template, or else of the connection."""

    label: ClassVar[str] = "Kubernetes job"
    ending: ClassVar[frozenset[str]] = frozenset({"TERMINATING"})
    over: ClassVar[frozenset[str]] = frozenset({"COMPLETED", "FAILED", GONE})

    place: str
    templates: Mapping[str, Mapping[str, Any]]
    connection: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Kubernetes":
        """Read TIDEMARK_KUBERNETES_*; SettingsError."""
        [place] = needed(_MEANING, environment).values()
        pattern = glob.escape(place).replace("{source}", "*").replace("{workload}", "*")
        files = [place] if pattern == glob.escape(place) else sorted(glob.glob(pattern))
        templates = {file: _template(file) for file in files}
        if len({(each["kind"], each["metadata"].get("namespace")) for each in templates.values()}) != 1:
            raise SettingsError(f"{TEMPLATE} is {place!r}: its {len(files)} files are not of one kind and namespace")
        return cls(place, templates, environment.get(CONNECTION))

    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Look through those that Airflow has started; what is over is left to its time to live."""
        selector = ",".join(f"{name}={value}" for name, value in _LABEL.items())
        with self._told():
            found = self._api.list(selector)
        names = [each["metadata"]["name"] for each in found if owns(each["metadata"]["name"]) and not _is_over(each)]
        return Remote(names[0], names[0]) if names else None

    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Create it; the name is a token too: what is there already is the first call's."""
        template = self.templates.get(file := job.at(self.place))
        if template is None:
            raise SettingsError(f"{TEMPLATE} is {self.place!r}, and there is no {file}")
        with self._told():
            self._api.create(manifest(template, name, job, outcome, work.timeout))
        return Remote(name, name)

    def state(self, remote: Remote) -> State:
        """Look at it."""
        with self._told():
            found = self._api.get(remote.name)
        return State(GONE, "it was deleted") if found is None else _state(found)

    def end(self, remote: Remote) -> None:
        """Delete it with its pods; nothing when it is gone or over."""
        with self._told():
            found = self._api.get(remote.name)
            if found is not None and not _is_over(found):
                self._api.delete(remote.name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ApiException as error:
            passing = error.status in (None, 0, 429) or int(error.status) >= 500
            kind = PlatformUnavailable if passing else PlatformRefused
            raise kind(f"Kubernetes says {error.status} {error.reason}: {str(error.body)[:300]}") from error
        except HTTPError as error:
            raise PlatformUnavailable(f"Kubernetes does not answer: {error}") from error

    @cached_property
    def _api(self) -> "_Objects":
        from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

        hook = KubernetesHook(conn_id=self.connection, in_cluster=None if self.connection else True)
        any_of_them = next(iter(self.templates.values()))
        namespace = any_of_them["metadata"].get("namespace") or hook.get_namespace() or "default"
        return _Objects(hook.api_client, str(any_of_them["kind"]), str(namespace))


def _template(file: str) -> Mapping[str, Any]:
    try:
        documents = list(yaml.safe_load_all(Path(file).read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{TEMPLATE} is {file!r}, which cannot be read: {error}") from error
    found = [each for each in documents if each and each.get("kind") in ("Job", "SparkApplication")]
    if len(found) != 1:
        raise SettingsError(f"{TEMPLATE} is {file!r}, which holds {len(found)} Jobs and SparkApplications, not one")
    template: Mapping[str, Any] = found[0]
    return template


def manifest(
    template: Mapping[str, Any], name: str, job: Job, outcome: str, timeout: timedelta | None
) -> dict[str, Any]:
    """Make what is created for one run of a job of what is the same for all.

    How long it may take is the task's affair, as whether it is run again: a copy may take a day, a sync an hour.
    """
    made = copy.deepcopy(dict(template))
    labels = {**made["metadata"].get("labels", {}), **_LABEL}
    made["metadata"] = {"name": name, "labels": labels}
    variable = {"name": ADDRESS, "value": outcome}
    if made["kind"] == "Job":
        container = _container(made)
        container["args"] = _words(container["args"], job)
        container["env"] = [*container.get("env", []), variable]
        made["spec"]["backoffLimit"] = 0
        made["spec"].pop("activeDeadlineSeconds", None)
        if timeout:
            made["spec"]["activeDeadlineSeconds"] = math.ceil(timeout.total_seconds())
    elif job.name == GUARD:
        raise SettingsError(
            f"a {GUARD} is no SparkApplication: {TEMPLATE} has to name a Job, or the worker has to run it"
        )
    else:
        made["spec"]["arguments"] = job.argv()
        [container] = made["spec"]["driver"]["template"]["spec"]["containers"]
        container["env"] = [*container.get("env", []), variable]
    return made


def _words(template: list[Any], job: Job) -> list[str]:
    """Give the words of spark-submit with the job's behind them; a guard needs no Spark, and is the console's."""
    if job.name == GUARD:
        _, *words = job.command()
        return words
    words = [str(word) for word in template]
    [entry] = [i for i, word in enumerate(words) if word.endswith(_ENTRY)]
    return [*words[: entry + 1], *job.argv()]


def _container(job: Mapping[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return container


def _is_over(found: Mapping[str, Any]) -> bool:
    return _state(found).word in Kubernetes.over


def _state(found: Mapping[str, Any]) -> State:
    status = found.get("status") or {}
    if found["kind"] == "Job":
        held = [each for each in status.get("conditions") or [] if each["status"] == "True"]
        ended = {each["type"]: " ".join(filter(None, (each.get("reason"), each.get("message")))) for each in held}
        for condition, word in (("Complete", "COMPLETED"), ("Failed", "FAILED")):
            if condition in ended:
                return State(word, ended[condition])
    else:
        application = status.get("applicationState") or {}
        word, says = str(application.get("state") or ""), str(application.get("errorMessage") or "")
        if word in ("COMPLETED", "FAILED", "SUBMISSION_FAILED"):
            return State("FAILED" if word == "SUBMISSION_FAILED" else word, says)
    return State("TERMINATING" if found["metadata"].get("deletionTimestamp") else "RUNNING")


@contextmanager
def _unless(expected: HTTPStatus) -> Iterator[None]:
    """Pass by one refusal: what is to be there is there, or what is to be gone is gone."""
    from kubernetes.client.exceptions import ApiException

    try:
        yield
    except ApiException as error:
        if error.status != expected:
            raise


@dataclass(frozen=True)
class _Objects:
    """Jobs, or SparkApplications, of one namespace, as plain objects."""

    client: Any
    kind: str
    namespace: str

    def list(self, selector: str) -> list[dict[str, Any]]:
        found = self._api.list_namespaced_custom_object(*self._place, label_selector=selector, **_PATIENT)
        return [{**each, "kind": self.kind} for each in found["items"]]

    def get(self, name: str) -> dict[str, Any] | None:
        found = None
        with _unless(HTTPStatus.NOT_FOUND):
            found = self._api.get_namespaced_custom_object(*self._place, name, **_PATIENT)
        return {**found, "kind": self.kind} if found else None

    def create(self, document: Mapping[str, Any]) -> None:
        with _unless(HTTPStatus.CONFLICT):
            self._api.create_namespaced_custom_object(*self._place, document, **_PATIENT)

    def delete(self, name: str) -> None:
        with _unless(HTTPStatus.NOT_FOUND):
            self._api.delete_namespaced_custom_object(*self._place, name, propagation_policy="Foreground", **_PATIENT)

    @property
    def _place(self) -> tuple[str, str, str, str]:
        """Group, version, namespace and plural: what is said of custom objects holds for Jobs too."""
        if self.kind == "Job":
            return "batch", "v1", self.namespace, "jobs"
        return "sparkoperator.k8s.io", "v1beta2", self.namespace, "sparkapplications"

    @cached_property
    def _api(self) -> Any:
        from kubernetes.client import CustomObjectsApi

        return CustomObjectsApi(self.client)
