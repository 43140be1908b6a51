import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.emulators import Aws, ministack, moto
from tests.infra.terraform import Terraform, TerraformFailed, copied, settings, why_not


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Terraform needs in its environment; skips where it, or its provider, cannot be had."""
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("terraform")
    told = settings(folder)
    (folder / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws", version = "= 5.100.0" }\n  }\n}\n',
        encoding="utf-8",
    )
    try:
        Terraform(folder, {**os.environ, **told}).init()
    except TerraformFailed as failed:
        if "registry.terraform.io" not in str(failed):
            raise
        pytest.skip(f"neither a mirror nor Terraform's registry has the AWS provider: {str(failed)[-300:]}")
    return told


@pytest.fixture
def infrastructure(tmp_path: Path) -> Iterator[Path]:
    """A copy of the repository's folders in which Terraform may write."""
    with copied(tmp_path) as place:
        yield place


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """AWS of both: each service is asked of that one which has more of it."""
    folder = tmp_path_factory.mktemp("aws")
    with moto(folder) as one, ministack(folder) as other:
        yield Aws.of_both(one, other)
