"""Airflow's database on ECS: made ready by a task of its own, once for each release."""

from typing import Any

import boto3
from botocore.exceptions import WaiterError

from infra.deploy.environment import NotDeployable
from infra.deploy.stack import Prepare, Stack
from infra.deploy.told import tell

LOOK_EVERY_S = 6


def run(stack: Stack, patience_s: int) -> None:
    """Run it to its end; NotDeployable with where its words are. Airflow's services come up by themselves then."""
    ecs = boto3.client("ecs", stack.region)
    for wanted in stack.prepare:
        tell("airflow: prepare makes the database ready")
        task = _started(ecs, wanted)
        _wait(ecs, wanted.cluster, task, patience_s)
        _check(ecs, wanted.cluster, task, f"/{stack.name}/airflow/prepare")


def _started(ecs: Any, wanted: Prepare) -> str:
    network = {"subnets": wanted.subnets, "securityGroups": [wanted.group], "assignPublicIp": "DISABLED"}
    answer = ecs.run_task(
        cluster=wanted.cluster,
        taskDefinition=wanted.task,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
    )
    if answer["failures"]:
        raise NotDeployable(f"airflow: prepare was not started: {answer['failures'][0]['reason']}")
    return str(answer["tasks"][0]["taskArn"])


def _wait(ecs: Any, cluster: str, task: str, patience_s: int) -> None:
    patience = {"Delay": LOOK_EVERY_S, "MaxAttempts": max(1, patience_s // LOOK_EVERY_S)}
    try:
        ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[task], WaiterConfig=patience)
    except WaiterError as error:
        raise NotDeployable(f"airflow: prepare has not ended within {patience_s} s; PATIENCE= waits longer") from error


def _check(ecs: Any, cluster: str, task: str, group: str) -> None:
    [ended] = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    [container] = ended["containers"]
    code = container.get("exitCode")  # none of what never began
    if code != 0:
        # Of each task whose container has ended ECS says that it has: the code tells more.
        why = ended.get("stoppedReason") or container.get("reason") if code is None else f"it ended with {code}"
        raise NotDeployable(f"airflow: prepare: {why}; what it said is in the log group {group}")
