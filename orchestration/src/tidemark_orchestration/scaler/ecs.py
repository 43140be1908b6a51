"""Workers as tasks of ECS, started one by one: a service would end any of them to have fewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tidemark_contract.errors import RetryableError

_AT_ONCE = 10  # ECS starts no more in one call


@dataclass(frozen=True)
class EcsFleet:
    """The tasks that run one definition's worker; `client` is boto3's for ECS.

    Needs ecs:RunTask, ecs:ListTasks, and iam:PassRole for the definition's roles.
    """

    client: Any
    cluster: str
    definition: str
    subnets: Sequence[str]
    security_groups: Sequence[str]
    name: str = "tidemark-scaler"

    def count(self) -> int:
        """Count those that run, or were asked for."""
        pages = self.client.get_paginator("list_tasks").paginate(
            cluster=self.cluster, startedBy=self.name, desiredStatus="RUNNING"
        )
        return sum(len(page["taskArns"]) for page in pages)

    def start(self, number: int) -> None:
        """Start so many more; RetryableError where ECS has no room for them."""
        network = {"subnets": list(self.subnets), "securityGroups": list(self.security_groups)}
        while number > 0:
            answer = self.client.run_task(
                cluster=self.cluster,
                taskDefinition=self.definition,
                count=min(number, _AT_ONCE),
                launchType="FARGATE",
                startedBy=self.name,
                networkConfiguration={"awsvpcConfiguration": {**network, "assignPublicIp": "DISABLED"}},
            )
            if failures := answer.get("failures"):
                raise RetryableError(f"ECS starts no worker: {failures[0].get('reason')} ({failures[0].get('detail')})")
            number -= _AT_ONCE
