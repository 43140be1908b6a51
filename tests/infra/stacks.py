"""The stacks of infra/terraform/environments, against an AWS of ours, with specs of ours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.emulators import REGION, Aws
from tests.infra.terraform import Terraform

STATE = "tidemark-state"
ADMIN = "arn:aws:iam::123456789012:role/people"


@dataclass(frozen=True)
class Stack:
    """One stack in a copy of the repository."""

    place: Path
    terraform: Terraform

    @classmethod
    def of(cls, name: str, place: Path, aws: Aws, told: dict[str, str], **values: Any) -> "Stack":
        """Prepare one; its state lies in a bucket, as it does on AWS."""
        given = {"region": REGION, "specs": str(place / "tests/infra/specs"), "admins": {"people": ADMIN}, **values}
        folder = place / "infra/terraform/environments" / name
        stack = cls(place, Terraform(folder, {**aws.environment, **told}, given))
        stack.terraform.init(f"-backend-config=bucket={STATE}", f"-backend-config=region={REGION}")
        return stack

    def planned(self) -> dict[str, dict[str, Any]]:
        """Give what would be made, by address."""
        changes = self.terraform.plan()["resource_changes"]
        return {it["address"]: it for it in changes if it["mode"] == "managed"}
