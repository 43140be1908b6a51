"""What is applied is there, a second plan is empty, and what is destroyed leaves nothing."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.infra.drift import changes, known
from tests.infra.emulators import KEYS, REGION, Aws
from tests.infra.terraform import REPOSITORY, Terraform
from tests.variants import ALL

ROOTS = sorted(folder.name for folder in (REPOSITORY / "tests/infra/roots").iterdir())
# Of many suites this one: others take minutes, most of them in waits of the provider's own.
QUICK = ["events"]
# What is told of after it has gone, and why.
STAYS = {
    ":kms:": "a key that is deleted is there for as long as it can be taken back",
    ":glue:": "moto forgets a database and keeps its tags",
    ":ecs:": "clusters, services and task definitions that were ended are told of as inactive, as on AWS",
    ":natgateway/": "one that was deleted is told of for an hour, as on AWS",
}
SEEN: dict[str, set[tuple[str, str]]] = {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("root", ROOTS if ALL else QUICK)
def test_what_is_applied_stays_as_it_is_and_goes_whole(
    root: str, told: dict[str, str], infrastructure: Path, aws: Aws
) -> None:
    terraform = Terraform(infrastructure / "tests/infra/roots" / root, {**aws.environment, **told})
    terraform.init()
    terraform.apply()
    assert tagged(aws), "nothing is tagged"

    found = list(changes(terraform.plan()))
    SEEN[root] = {what for what, _ in found}
    assert [] == [told for what, told in found if what not in known()]
    assert [] == secrets(aws, terraform.state())

    terraform.destroy()
    assert [] == tagged(aws)


def tagged(aws: Aws) -> list[str]:
    """Name all that is there and tagged as ours, on either."""
    wanted = [{"Key": "Project", "Values": ["tidemark"]}]
    asked = [client(endpoint, "resourcegroupstaggingapi") for endpoint in sorted({aws.endpoint, *aws.others.values()})]
    pages = [page for one in asked for page in one.get_paginator("get_resources").paginate(TagFilters=wanted)]
    found = [it["ResourceARN"] for page in pages for it in page["ResourceTagMappingList"]]
    return [arn for arn in found if not any(word in arn for word in STAYS)]


def secrets(aws: Aws, state: str) -> list[str]:
    """Name the secrets whose value is in a state."""
    manager = client(aws.endpoint, "secretsmanager")
    names = [it["Name"] for page in manager.get_paginator("list_secrets").paginate() for it in page["SecretList"]]
    return [name for name in names if (value := _value(manager, name)) and value in state]


def _value(manager: Any, name: str) -> str | None:
    try:
        return str(manager.get_secret_value(SecretId=name)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:  # nobody has put one in
        return None


def client(endpoint: str, service: str) -> Any:
    keys = {f"aws_{name}": KEYS[f"AWS_{name.upper()}"] for name in ("access_key_id", "secret_access_key")}
    return boto3.client(service, REGION, endpoint_url=endpoint, **keys)
