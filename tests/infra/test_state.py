"""Two at once do not write a state: the stacks' own backend, on an S3 that honours conditional writes."""

import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.infra.emulators import REGION, Aws
from tests.infra.terraform import REPOSITORY, Terraform, TerraformFailed
from tests.infra.test_apply import client

BUCKET = "tidemark-lock"
# It is being made until it is let go.
SLOW = """
resource "terraform_data" "this" {
  provisioner "local-exec" { command = "touch held; until [ -e let-go ]; do sleep 0.1; done" }
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_second_of_two_who_apply_is_refused(stack: str, told: dict[str, str], aws: Aws, tmp_path: Path) -> None:
    s3 = client(aws.endpoint, "s3")
    s3.create_bucket(Bucket=f"{BUCKET}-{stack}", CreateBucketConfiguration={"LocationConstraint": REGION})
    first, second = (writer(stack, tmp_path / name, {**aws.environment, **told}) for name in ("first", "second"))

    with ThreadPoolExecutor(1) as beside:
        applied = beside.submit(first.apply)
        try:
            wait_for(first.folder / "held", applied)
            with pytest.raises(TerraformFailed, match="Error acquiring the state lock"):
                second.apply()
            assert [f"{stack}/terraform.tfstate.tflock"] == objects(s3, stack)
        finally:
            (first.folder / "let-go").touch()
        applied.result()

    assert [f"{stack}/terraform.tfstate"] == objects(s3, stack), "the lock is still there"
    second.apply()
    assert not (second.folder / "held").exists(), "it was made twice"


def writer(stack: str, folder: Path, environment: dict[str, str]) -> Terraform:
    """One who applies, with the backend as the stack has it."""
    text = (REPOSITORY / f"infra/terraform/environments/{stack}/versions.tf").read_text()
    [backend] = re.findall(r'^  backend "s3" \{.*?^  \}', text, re.MULTILINE | re.DOTALL)
    folder.mkdir()
    (folder / "main.tf").write_text(f"terraform {{\n{backend}\n}}\n{SLOW}")
    terraform = Terraform(folder, environment)
    terraform.init(f"-backend-config=bucket={BUCKET}-{stack}", f"-backend-config=region={REGION}")
    return terraform


def wait_for(file: Path, applied: Future[None]) -> None:
    while not file.exists():
        assert not applied.done(), applied.result()
        time.sleep(0.1)


def objects(s3: Any, stack: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=f"{BUCKET}-{stack}")
    return [it["Key"] for it in found.get("Contents", [])]
