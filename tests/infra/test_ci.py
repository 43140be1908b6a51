"""What a plan asks of Secrets Manager is what its role may: no value, and nothing that ReadOnlyAccess lacks."""

import json
import urllib.request
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.emulators import Aws, moto
from tests.infra.terraform import REPOSITORY, Terraform
from tests.infra.test_apply import client

ROOT = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "= 5.100.0" }
  }
}

provider "aws" {}

module "ci" {
  source        = "../../../infra/terraform/modules/ci"
  name          = "tidemark-test"
  tags          = { Project = "tidemark" }
  repository    = "example/tidemark"
  environment   = "prod"
  make_provider = true
  state         = { bucket = "arn:aws:s3:::state", prefix = "dev/" }
  state_key     = "arn:aws:kms:eu-central-1:123456789012:key/state"
}

module "secrets" {
  source        = "../../../infra/terraform/modules/secrets"
  name          = "tidemark-test"
  tags          = { Project = "tidemark" }
  kms_key       = "arn:aws:kms:eu-central-1:123456789012:key/platform"
  recovery_days = 0
  secrets       = { drawn = { description = "One that is drawn", draw = "text" } }
}
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_plan_of_what_is_there_asks_for_nothing_that_its_role_may_not(
    told: dict[str, str], infrastructure: Path, tmp_path: Path
) -> None:
    root = infrastructure / "tests/infra/ci"
    root.mkdir()
    (root / "main.tf").write_text(ROOT)
    with moto(tmp_path, MOTO_RECORDER_FILEPATH=str(tmp_path / "asked")) as address:
        person = Terraform(root, {**Aws(address, {}).environment, **told})
        person.init()
        person.apply()

        asked_by_a_person = actions(address, person)
        asked = actions(address, replace(person, environment={**person.environment, **step()}))

        statements = rights(client(address, "iam"))
        allowed, denied = (named(statements, effect) for effect in ("Allow", "Deny"))
    assert "secretsmanager:GetSecretValue" in asked_by_a_person, "why the workflow does otherwise"
    assert "secretsmanager:GetRandomPassword" in asked
    assert set() == {action for action in asked if matches(action, denied) or not matches(action, allowed)}


def test_who_deploys_keeps_the_role_as_long_as_the_job_may_take() -> None:
    job = workflow("deploy")["jobs"]["deploy"]
    [keys] = [step["with"] for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]
    assert job["timeout-minutes"] * 60 <= keys["role-duration-seconds"] <= 3 * 3600
    module = (REPOSITORY / "infra/terraform/modules/ci/main.tf").read_text()
    assert 'max_session_duration = 3600 * (each.key == "apply" ? 3 : 1)' in module


def workflow(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((REPOSITORY / f".github/workflows/{name}.yaml").read_text()))


def step() -> dict[str, str]:
    """Give what the step of the workflow tells Terraform."""
    [planning] = [step for step in workflow("plan")["jobs"]["plan"]["steps"] if step.get("name") == "make plan"]
    return {name: str(value) for name, value in planning["env"].items() if name == "TF_CLI_ARGS_plan"}


def actions(address: str, terraform: Terraform) -> set[str]:
    """Give what a plan asks of Secrets Manager; moto writes down what it is asked."""
    recorder(address, "reset")
    recorder(address, "start")
    terraform.plan()
    recorder(address, "stop")
    with urllib.request.urlopen(f"{address}/moto-api/recorder/download-recording") as answered:
        asked = [json.loads(line) for line in answered.read().decode().splitlines() if line.strip()]
    targets = [str(one["headers"].get("X-Amz-Target")) for one in asked]
    return {target.replace(".", ":") for target in targets if target.startswith("secretsmanager.")}


def recorder(address: str, do: str) -> None:
    urllib.request.urlopen(f"{address}/moto-api/recorder/{do}-recording", data=b"").close()


def rights(iam: Any) -> list[dict[str, Any]]:
    """Give the statements about the role that plans: of AWS's own list, and ours."""
    role = {"RoleName": "tidemark-test-ci-plan"}
    [attached] = iam.list_attached_role_policies(**role)["AttachedPolicies"]
    version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
    listed = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
    ours = iam.get_role_policy(**role, PolicyName="plan")["PolicyDocument"]
    return [*listed["Statement"], *ours["Statement"]]


def named(statements: list[dict[str, Any]], effect: str) -> list[str]:
    return [action for it in statements if it["Effect"] == effect for action in _list(it["Action"])]


def _list(value: list[str] | str) -> list[str]:
    return value if isinstance(value, list) else [value]


def matches(action: str, patterns: list[str]) -> bool:
    return any(fnmatch(action.lower(), pattern.lower()) for pattern in patterns)
