"""Moto's server as AWS, with the calls that it lacks and Terraform's provider makes; `python -m … PORT`."""

import sys
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult
from moto.emr.responses import ElasticMapReduceResponse
from moto.emrserverless import models as serverless
from moto.rds import models as rds
from moto.server import main


def mend() -> None:
    """Add what is asked for after a resource was made, and nothing else: no answer that is there is changed."""
    ApplicationAutoScalingResponse.list_tags_for_resource = lambda self: '{"Tags": {}}'
    ElasticMapReduceResponse.get_auto_termination_policy = _auto_termination
    ElasticMapReduceResponse.put_auto_termination_policy = _keep_auto_termination
    _serverless_as_aws_has_it()
    _parameters_are_the_users()


_POLICIES: dict[str, Any] = {}


def _keep_auto_termination(self: Any) -> Any:
    _POLICIES[self._get_param("ClusterId")] = self._get_param("AutoTerminationPolicy")
    return ActionResult({})


def _auto_termination(self: Any) -> Any:
    return ActionResult({"AutoTerminationPolicy": _POLICIES.get(self._get_param("ClusterId"), {})})


def _serverless_as_aws_has_it() -> None:
    """An application is of any `Spark`, and CREATED until it is started; moto wants SPARK, and has it STARTED."""
    backend = serverless.EMRServerlessBackend
    create = backend.create_application

    def create_application(self: Any, **facts: Any) -> Any:
        application = create(self, **{**facts, "application_type": facts["application_type"].upper()})
        application.state = "CREATED"
        return application

    backend.create_application = create_application


def _parameters_are_the_users() -> None:
    """What a parameter group was given says so: by that the provider tells it from what is there by itself."""
    update = rds.DBParameterGroup.update_parameters

    def update_parameters(self: Any, new_parameters: Any) -> None:
        update(self, [{**parameter, "Source": "user"} for parameter in new_parameters])

    rds.DBParameterGroup.update_parameters = update_parameters


if __name__ == "__main__":
    mend()
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
