"""What can be said of the files without an AWS: their form, what a scanner finds, what mocked modules promise."""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.terraform import REPOSITORY, Terraform
from tests.variants import ALL

TERRAFORM = REPOSITORY / "infra/terraform"
MODULES = sorted(folder.name for folder in (TERRAFORM / "modules").iterdir())
MOCKED = sorted(file.name.split(".")[0] for file in (REPOSITORY / "tests/infra/mocks").glob("*.tftest.hcl"))
SKIP = re.compile(r"#checkov:skip=(?P<check>\w+): (?P<reason>.{20,}) \((?P<date>20\d\d-\d\d-\d\d)\)$")
# The mocking of Terraform 1.11 knows no ephemeral values, which secrets has: test_apply.py looks for them. The stack is
# planned as a whole: test_stack.py.
NOT_MOCKED = {"secrets", "stack"}
SCANNER = REPOSITORY / ".tidemark/venv/scan/bin/checkov"


def test_every_file_has_terraforms_form(told: dict[str, str]) -> None:
    here = Terraform(REPOSITORY, {**os.environ, **told})
    here.run("fmt", "-check", "-recursive", "infra/terraform")
    here.run("fmt", "-check", "-recursive", "tests/infra")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_made_alike(module: str) -> None:
    """The same files, versions, first variables; no provider of its own, which whoever calls it would have to undo."""
    folder = TERRAFORM / "modules" / module
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf"} <= {file.name for file in folder.iterdir()}
    assert (TERRAFORM / "modules/kms/versions.tf").read_text() == (folder / "versions.tf").read_text()
    variables = (folder / "variables.tf").read_text()
    assert ["name", "tags"] == re.findall(r'^variable "(\w+)"', variables, re.MULTILINE)[:2]
    blocks = re.findall(
        r'^(?:variable|output) "\w+" \{\n(.*?)^\}',
        variables + (folder / "outputs.tf").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert all("  description = " in block for block in blocks)
    assert not any(re.search(r"^provider ", file.read_text(), re.MULTILINE) for file in folder.glob("*.tf"))


@pytest.mark.parametrize("module", MODULES)
def test_a_modules_page_says_what_it_takes_and_gives(module: str) -> None:
    """In the words of the files themselves: nobody has to look whether the page is still true."""
    folder = TERRAFORM / "modules" / module
    page = (folder / "README.md").read_text()
    assert page.startswith(f"# {module}\n")
    variables = blocks(folder / "variables.tf", "variable")
    inputs = [f"| `{name}` | {says(block)} | {default(block)} |" for name, block in variables]
    outputs = [f"| `{name}` | {says(block)} |" for name, block in blocks(folder / "outputs.tf", "output")]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert inputs + outputs == rows


def blocks(file: Path, kind: str) -> list[tuple[str, str]]:
    return re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', file.read_text(), re.MULTILINE | re.DOTALL)


def says(block: str) -> str:
    [text] = re.findall(r'^  description = "(.*)"$', block, re.MULTILINE)
    return str(text).replace('\\"', '"').replace("|", "\\|")


def default(block: str) -> str:
    found = re.search(r"^  default\s*= (.*)$", block, re.MULTILINE)
    return f"`{found[1]}`" if found else "none: has to be given"


def test_every_module_has_promises_that_are_tested() -> None:
    assert set(MODULES) - NOT_MOCKED == set(MOCKED)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_modules_keep_their_promises(told: dict[str, str], infrastructure: Path) -> None:
    """In one process, for each starts the provider anew: all of them, or three that are drawn."""
    chosen = MOCKED if ALL else random.sample(MOCKED, 3)
    mocks = Terraform(infrastructure / "tests/infra/mocks", {**os.environ, **told, "AWS_REGION": "eu-central-1"})
    mocks.init()
    mocks.run("test", *(f"-filter={name}.tftest.hcl" for name in chosen))


@pytest.mark.slow
def test_a_scanner_finds_nothing_that_is_not_argued() -> None:
    command: list[str | Path] = [
        SCANNER,
        "-d",
        TERRAFORM,
        "--framework",
        "terraform",
        "--compact",
        "--skip-download",
        "-o",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert 0 == found["summary"]["parsing_errors"]
    assert found["summary"]["passed"] > 50
    assert [] == [(it["check_id"], it["resource"], it["check_name"]) for it in found["results"]["failed_checks"]]


def test_what_a_scanner_is_told_to_leave_has_a_reason_and_a_date() -> None:
    lines = [line.strip() for file in TERRAFORM.rglob("*.tf") for line in file.read_text().splitlines()]
    skipped = [line for line in lines if "checkov:skip" in line]
    assert [] == [line for line in skipped if not SKIP.fullmatch(line)]
    assert skipped
