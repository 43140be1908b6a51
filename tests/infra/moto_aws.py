"""Moto's server as AWS, with the calls that it lacks and Terraform's provider makes; `python -m … PORT HOST`."""

import os
import re
import sys
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult
from moto.ec2.models import launch_templates as templates
from moto.ecr import models as ecr
from moto.efs.responses import EFSResponse
from moto.emr import responses as emr
from moto.emr.exceptions import InvalidRequestException
from moto.emrserverless import models as serverless
from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.rds import models as rds
from moto.s3 import models as s3
from moto.server import main
from moto.sqs import models as sqs


def mend() -> None:
    """Add what is asked for after a resource was made, and nothing else: no answer that is there is changed."""
    _give(ApplicationAutoScalingResponse, list_tags_for_resource=lambda self: '{"Tags": {}}')
    _give(EFSResponse, delete_file_system_policy=_forget_the_policy)
    _clusters_keep_what_they_are_given()
    _clusters_are_of_groups()
    _serverless_as_aws_has_it()
    _parameters_are_the_users()
    _templates_do_not_tag_themselves()
    _buckets_have_metrics()
    _keys_are_written_as_asked()
    _give(s3.FakeDeleteMarker, dispose=lambda self, garbage=False: None)  # a bucket that had versions is emptied
    _queues_keep_their_policy()
    _a_bucket_is_ours()
    _images_lie_where_they_can_be_pushed()


def _give(class_: type, **methods: Callable[..., Any]) -> None:
    for name, method in methods.items():
        setattr(class_, name, method)


def _forget_the_policy(self: Any) -> tuple[str, dict[str, str | int]]:
    self.efs_backend.put_file_system_policy(self._get_param("FileSystemId"), "", False)
    return "{}", {"Content-Type": "application/json"}


def _clusters_keep_what_they_are_given() -> None:
    """When a cluster ends, and how it grows and shrinks: moto knows nothing of it."""
    start, ends = emr.ElasticMapReduceResponse.run_job_flow, _policies("auto_termination_policy")
    _policies("managed_scaling_policy")

    def run_job_flow(self: Any) -> Any:
        answer: Any = start(self)
        cluster = self.backend.clusters[answer.result["JobFlowId"]]
        cluster.scale_down_behavior = self._get_param("ScaleDownBehavior")
        ends[cluster.id] = self._get_param("AutoTerminationPolicy")
        return answer

    _give(emr.ElasticMapReduceResponse, run_job_flow=run_job_flow)


def _policies(kind: str) -> dict[str, Any]:
    """Let clusters have a policy of a kind; give what is kept of it, by cluster."""
    name, kept = kind.title().replace("_", ""), dict[str, Any]()

    def put(self: Any) -> Any:
        kept[self._get_param("ClusterId")] = self._get_param(name)
        return ActionResult({})

    def get(self: Any) -> Any:
        policy = kept.get(self._get_param("ClusterId"))
        return ActionResult({name: policy} if policy else {})

    def remove(self: Any) -> Any:
        kept.pop(self._get_param("ClusterId"), None)
        return ActionResult({})

    for verb, call in {"put": put, "get": get, "remove": remove}.items():
        _give(emr.ElasticMapReduceResponse, **{f"{verb}_{kind}": call})
    return kept


def _clusters_are_of_groups() -> None:
    """Who asks one of groups for its fleets is told so: moto fails, and is asked again for minutes."""

    def list_instance_fleets(self: Any) -> Any:
        raise InvalidRequestException("Instance fleets and instance groups are mutually exclusive: it uses groups.")

    _give(emr.ElasticMapReduceResponse, list_instance_fleets=list_instance_fleets)


def _serverless_as_aws_has_it() -> None:
    """An application is of any `Spark`, and CREATED until it is started; moto wants SPARK, and has it STARTED."""
    backend = serverless.EMRServerlessBackend
    create, list_runs = backend.create_application, backend.list_job_runs

    def create_application(self: Any, **facts: Any) -> Any:
        application = create(self, **{**facts, "application_type": facts["application_type"].upper()})
        application.state = "CREATED"
        return application

    def list_job_runs(self: Any, application_id: str, *words: Any, **facts: Any) -> Any:
        if application_id in self.applications:  # one that was given none has none
            self.job_runs.setdefault(application_id, [])
        return list_runs(self, application_id, *words, **facts)

    _give(backend, create_application=create_application, list_job_runs=list_job_runs)


def _parameters_are_the_users() -> None:
    """What a parameter group was given says so: by that the provider tells it from what is there by itself."""
    update = rds.DBParameterGroup.update_parameters

    def update_parameters(self: Any, new_parameters: Any) -> None:
        update(self, [{**parameter, "Source": "user"} for parameter in new_parameters])

    _give(rds.DBParameterGroup, update_parameters=update_parameters)


def _templates_do_not_tag_themselves() -> None:
    """A launch template's own tags are none of what it starts; moto takes them for such."""
    make = templates.LaunchTemplate.__init__

    def init(self: Any, backend: Any, name: str, data: Any, description: str, tags: Any) -> None:
        starts = [spec for spec in data.get("TagSpecifications", []) if spec["ResourceType"] != "launch-template"]
        make(self, backend, name, {**data, "TagSpecifications": starts}, description, tags)

    _give(templates.LaunchTemplate, __init__=init)


def _buckets_have_metrics() -> None:
    """What is counted of a bucket is kept as it was given; moto takes the request for one that makes the bucket."""
    kept: dict[tuple[str, str], bytes] = {}
    call = DomainDispatcherApplication.__call__

    def answer(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        asked = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if not {"metrics", "id"} <= set(asked):
            return call(self, environ, start_response)
        key = environ["PATH_INFO"].strip("/"), asked["id"][0]
        if environ["REQUEST_METHOD"] == "PUT":
            kept[key] = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if environ["REQUEST_METHOD"] == "DELETE":
            kept.pop(key, None)
            return _say(start_response, "204 No Content")
        if key not in kept:
            return _say(start_response, "404 Not Found", b"<Error><Code>NoSuchConfiguration</Code></Error>")
        return _say(start_response, "200 OK", kept[key] if environ["REQUEST_METHOD"] == "GET" else b"")

    _give(DomainDispatcherApplication, __call__=answer)


def _keys_are_written_as_asked() -> None:
    """Who asks for versions with encoding-type=url reads a + as a blank; moto writes keys as they are."""
    call = DomainDispatcherApplication.__call__

    def answer(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        asked = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if "versions" not in asked or asked.get("encoding-type") != ["url"]:
            return call(self, environ, start_response)
        said: list[Any] = []
        content = b"".join(call(self, environ, lambda *words: said.extend(words)))
        encoded = re.sub(rb"(?<=<Key>)[^<]*", lambda key: quote(unescape(key[0].decode())).encode(), content)
        kept = [(name, value) for name, value in said[1] if name.lower() != "content-length"]
        start_response(said[0], [*kept, ("Content-Length", str(len(encoded)))])
        return [encoded]

    _give(DomainDispatcherApplication, __call__=answer)


def _queues_keep_their_policy() -> None:
    """Whatever else of a queue is set: moto forgets it then."""
    change = sqs.Queue._set_attributes

    def set_attributes(self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(self, "policy", None)
        change(self, attributes, now)
        if "Policy" not in attributes:
            self.policy = kept

    _give(sqs.Queue, _set_attributes=set_attributes)


def _a_bucket_is_ours() -> None:
    """Who asks is whoever owns the bucket: moto looks at no condition, and refuses all by what refuses plain HTTP."""
    _give(s3.FakeBucket, get_permission=lambda self, action, resource: PermissionResult.NEUTRAL)


def _images_lie_where_they_can_be_pushed() -> None:
    """In a registry that is there, where one is named: moto has none."""
    registry = os.environ.get("TIDEMARK_TEST_REGISTRY")
    if not registry:
        return
    make = ecr.Repository.__init__

    def init(self: Any, *words: Any, **facts: Any) -> None:
        make(self, *words, **facts)
        self.uri = f"{registry}/{self.name}"

    _give(ecr.Repository, __init__=init)


def _say(start_response: Any, status: str, content: bytes = b"") -> list[bytes]:
    start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))])
    return [content]


if __name__ == "__main__":
    mend()
    main(["--port", sys.argv[1], "--host", sys.argv[2]])
