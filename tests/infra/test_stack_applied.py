"""The stacks are applied whole, on both AWS of this machine: a second plan is empty, and what is destroyed is gone."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.drift import changes, known
from tests.infra.emulators import REGION, Aws
from tests.infra.stacks import STATE, Stack
from tests.infra.test_apply import ROOTS, SEEN, client, secrets, tagged
from tests.variants import ALL

# Neither AWS here knows the release that is the default.
RELEASE = "emr-7.9.0"
CLUSTERS = {"shop-gold": {"standing": {"jobs": 2, "idle_minutes": 30}}}
MORE: dict[str, dict[str, Any]] = {"eks": {}, "ecs": {"domain": "airflow.example.org"}, "mwaa": {"clusters": CLUSTERS}}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("platform", sorted(MORE))
def test_a_stack_is_applied_stays_as_it_is_and_goes_whole(
    platform: str, told: dict[str, str], infrastructure: Path, aws: Aws
) -> None:
    if not ALL:
        pytest.skip("it takes ten minutes each: `make test-infra`")
    state = client(aws.endpoint, "s3")
    if STATE not in [each["Name"] for each in state.list_buckets()["Buckets"]]:
        state.create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": REGION})
    given = {"platform": platform, "emr_release": RELEASE, **MORE[platform]}
    stack = Stack.of("dev", infrastructure, aws, {**told, **aws.mwaa}, **given)
    stack.terraform.apply()

    found = list(changes(stack.terraform.plan()))
    SEEN[platform] = {what for what, _ in found}
    assert [] == [told for what, told in found if what not in known()]
    assert [] == secrets(aws, stack.terraform.state())

    stack.terraform.destroy()
    assert [] == tagged(aws)


def test_no_drift_is_allowed_that_is_not_there() -> None:
    if set(SEEN) != {*ROOTS, *MORE}:
        pytest.skip("not all roots and stacks were applied in this run: TIDEMARK_ALL=1")
    assert set() == set(known()) - set().union(*SEEN.values())
