"""What is applied is there, a second plan is empty, and what is destroyed leaves nothing."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.infra.drift import changes, known
from tests.infra.emulators import REGION, Aws
from tests.infra.terraform import REPOSITORY, Terraform

ROOTS = sorted(folder.name for folder in (REPOSITORY / "tests/infra/roots").iterdir())
# What is told of after it has gone, and why.
STAYS = {
    ":kms:": "a key that is deleted is there for as long as it can be taken back",
    ":glue:": "moto forgets a database and keeps its tags",
}
SEEN: dict[str, set[tuple[str, str]]] = {}


@pytest.mark.slow
@pytest.mark.drawn(1)
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("root", ROOTS)
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


def test_no_drift_is_allowed_that_is_not_there() -> None:
    if set(SEEN) != set(ROOTS):
        pytest.skip("not all roots were applied in this run: TIDEMARK_ALL=1")
    assert set() == set(known()) - set().union(*SEEN.values())


def tagged(aws: Aws) -> list[str]:
    """Name all that is there and tagged as ours."""
    wanted = [{"Key": "Project", "Values": ["tidemark"]}]
    pages = client(aws, "resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=wanted)
    found = [it["ResourceARN"] for page in pages for it in page["ResourceTagMappingList"]]
    return [arn for arn in found if not any(word in arn for word in STAYS)]


def secrets(aws: Aws, state: str) -> list[str]:
    """Name the secrets whose value is in a state."""
    manager = client(aws, "secretsmanager")
    names = [it["Name"] for page in manager.get_paginator("list_secrets").paginate() for it in page["SecretList"]]
    return [name for name in names if (value := _value(manager, name)) and value in state]


def _value(manager: Any, name: str) -> str | None:
    try:
        return str(manager.get_secret_value(SecretId=name)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:  # nobody has put one in
        return None


def client(aws: Aws, service: str) -> Any:
    told = aws.environment
    keys = {"aws_access_key_id": told["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": told["AWS_SECRET_ACCESS_KEY"]}
    return boto3.client(service, REGION, endpoint_url=aws.endpoint, **keys)
