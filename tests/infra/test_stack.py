"""What the stacks would make, from specs as they are: rules that hold for all of it, and a table that is added."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.emulators import REGION, Aws, moto
from tests.infra.stacks import STATE, Stack
from tests.infra.terraform import copied
from tests.infra.test_apply import client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.drawn(2)]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An AWS with nothing in it but the bucket of the states."""
    with moto(tmp_path_factory.mktemp("fresh")) as address:
        client(address, "s3").create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield Aws(address, {})


@pytest.fixture(scope="module")
def dev(fresh: Aws, told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with copied(tmp_path_factory.mktemp("dev")) as place:
        yield Stack.of("dev", place, fresh, told)


@pytest.fixture(scope="module")
def planned(dev: Stack) -> dict[str, dict[str, Any]]:
    return dev.planned()


def test_a_database_lies_where_there_is_no_way_out(planned: dict[str, dict[str, Any]]) -> None:
    groups = [it for it in planned.values() if it["type"] == "aws_db_subnet_group"]
    assert groups
    assert all(
        not it["change"]["after"]["publicly_accessible"] for it in planned.values() if it["type"] == "aws_db_instance"
    )
    ways = [it for it in planned if ".aws_route." in it]
    assert ways
    assert not [way for way in ways if '"data-' in way]


def test_everything_that_can_be_tagged_is(planned: dict[str, dict[str, Any]]) -> None:
    bare = [
        address
        for address, it in planned.items()
        if "tags" in it["change"]["after"] and (it["change"]["after"]["tags"] or {}).get("Project") != "tidemark"
    ]
    assert [] == bare


def test_no_policy_lets_anybody_do_everything_with_data(planned: dict[str, dict[str, Any]]) -> None:
    """Of what is known before anything is made; the roles' policies are in tests/infra/mocks, with ARNs."""
    policies = [
        (address, json.loads(text))
        for address, it in planned.items()
        for name in ("policy", "assume_role_policy")
        if isinstance(text := it["change"]["after"].get(name), str)
    ]
    assert len(policies) > 20
    wide = [
        address
        for address, policy in policies
        for statement in policy.get("Statement", [])
        if statement["Effect"] == "Allow" and "kms" not in address
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action == "*" or action.endswith(":*")
    ]
    assert [] == wide


def test_a_table_that_is_added_is_a_file_and_changes_what_readers_may(
    fresh: Aws, told: dict[str, str], infrastructure: Path
) -> None:
    """On what is there already: before, ARNs are not known, and a plan cannot say what a policy allows."""
    stack = Stack.of("dev", infrastructure, fresh, told)
    stack.terraform.apply("-target=module.tidemark.module.sources")
    spec = infrastructure / "tests/infra/specs/shop/public.lineitem.yaml"
    spec.write_text((spec.parent / "public.orders.yaml").read_text().replace("orders", "lineitem"))

    changed = {
        address: it["change"] for address, it in stack.planned().items() if it["change"]["actions"] == ["update"]
    }
    assert {'module.tidemark.module.sources.aws_iam_policy.read["shop-1"]'} == set(changed)
    (change,) = changed.values()
    assert {"silver/shop/public.lineitem/*", "history/shop/public.lineitem/*"} == prefixes(change["after"]) - prefixes(
        change["before"]
    )
    stack.terraform.destroy()


def prefixes(policy: dict[str, Any]) -> set[str]:
    read = next(it for it in json.loads(policy["policy"])["Statement"] if it["Sid"] == "Read")
    return {arn.partition("/")[2] for arn in read["Resource"]}


def test_a_source_that_is_added_brings_all_that_is_its_own(dev: Stack, planned: dict[str, dict[str, Any]]) -> None:
    folder = dev.place / "tests/infra/specs/depot"
    folder.mkdir()
    (folder / "source.yaml").write_text("source: depot\nowner: logistics\n")
    (folder / "public.bin.yaml").write_text("table: public.bin\nkey: [id]\n")
    try:
        added = set(dev.planned()) - set(planned)
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    assert {"depot-stream", "depot-mirror", "depot-gold", "depot-maintain", "depot-erase"} == keys(
        added, "aws_iam_role.this"
    )
    assert {"silver_depot", "history_depot", "gold_depot"} == keys(added, "aws_glue_catalog_database")
    assert {"depot"} == keys(added, "aws_cloudwatch_metric_alarm.silence")
    assert {"sources/depot"} == keys(added, "aws_secretsmanager_secret")


def keys(addresses: set[str], kind: str) -> set[str]:
    return {address.rpartition('["')[2].rstrip('"]') for address in addresses if f".{kind}" in address}


@pytest.mark.parametrize("platform", ["ecs", "mwaa"])
def test_airflow_runs_where_it_is_asked_for(
    platform: str, fresh: Aws, told: dict[str, str], infrastructure: Path, planned: dict[str, dict[str, Any]]
) -> None:
    """And on none of the others; the lake, the roles of its jobs and where they run are the same."""
    stack = Stack.of("dev", infrastructure, fresh, told, platform=platform, domain="airflow.example.org")
    made = stack.planned()
    kinds = {it["type"] for it in made.values()}
    assert (platform == "ecs", platform == "mwaa") == ("aws_ecs_service" in kinds, "aws_mwaa_environment" in kinds)
    assert (platform == "ecs") == ("aws_db_instance" in kinds) == ("aws_elasticache_replication_group" in kinds)
    assert not {"aws_ecs_service", "aws_mwaa_environment"} & {it["type"] for it in planned.values()}
    kept = {address for address in planned if ".module.lake." in address or ".module.workloads." in address}
    assert {address for address in kept if "airflow-" not in address} <= set(made)
    roles = keys(set(made), "aws_iam_role.this")
    assert (platform == "mwaa") == ("airflow-mwaa" in roles) == ("airflow-worker" not in roles)


def test_production_survives_a_zone_and_is_not_destroyed_by_mistake(
    fresh: Aws, told: dict[str, str], infrastructure: Path
) -> None:
    planned = Stack.of("prod", infrastructure, fresh, told).planned()
    made = {address: it["change"]["after"] for address, it in planned.items()}
    database = next(it for address, it in made.items() if ".aws_db_instance." in address)
    assert (True, True, False) == (
        database["multi_az"],
        database["deletion_protection"],
        database["skip_final_snapshot"],
    )
    assert 3 == len([address for address in made if ".aws_nat_gateway." in address])
    assert not [address for address, it in made.items() if it.get("force_destroy") or it.get("force_delete")]
