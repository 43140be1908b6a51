"""Terraform, run in a folder of its own on a copy of what is in infra/terraform."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
# Where the provider lies on a machine that does not reach Terraform's registry.
MIRROR = Path(os.environ.get("TIDEMARK_TERRAFORM_MIRROR", "/opt/tf-plugins"))
COPIED = (
    "infra/terraform",
    "contract/src",
    "orchestration/src",
    "jobs/jars",
    "tests/infra/roots",
    "tests/infra/mocks",
    "tests/infra/specs",
    "tests/infra/iam",
    "tests/infra/mwaa",
)
PATIENCE_S = 1800
# Of its commands these take no such flag.
COLOURED = ("state", "fmt")


class TerraformFailed(Exception):
    """Terraform ended with an error; the words are its own."""


@dataclass(frozen=True)
class Terraform:
    """One root module, and the environment in which Terraform runs there."""

    folder: Path
    environment: Mapping[str, str]
    variables: Mapping[str, Any] = field(default_factory=dict)

    def init(self, *arguments: str) -> None:
        """Get providers and modules; of backends none but what is asked for."""
        self.run("init", *(arguments or ("-backend=false",)))

    def apply(self, *arguments: str) -> None:
        """Make all of it, or with -target=… what that needs."""
        self.run("apply", "-auto-approve", *arguments, *self._given())

    def plan(self) -> dict[str, Any]:
        """Say what an apply would do, as Terraform's JSON."""
        self.run("plan", "-out=plan", *self._given())
        return dict(json.loads(self.run("show", "-json", "plan")))

    def destroy(self) -> None:
        """Take all of it away."""
        self.run("destroy", "-auto-approve", *self._given())

    def outputs(self) -> dict[str, Any]:
        """Give the values of the outputs."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    def state(self) -> str:
        """Give the state, as it is stored."""
        return self.run("state", "pull")

    def run(self, command: str, *arguments: str) -> str:
        """Run one command and give what it prints."""
        words = ["terraform", command, *([] if command in COLOURED else ["-no-color"]), *arguments]
        environment = {**self.environment, "TF_INPUT": "0"}
        done = subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        if done.returncode:
            raise TerraformFailed(f"{' '.join(words)}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
        return done.stdout

    def _given(self) -> list[str]:
        """By a file: a value of several levels is no word of a command line."""
        if not self.variables:
            return []
        (self.folder / "given.tfvars.json").write_text(json.dumps(dict(self.variables)), encoding="utf-8")
        return ["-var-file=given.tfvars.json"]


def why_not() -> str | None:
    """Say why Terraform cannot run here, or None."""
    return None if shutil.which("terraform") else "terraform is not on the PATH: `make doctor` says what it is for"


@contextmanager
def copied(place: Path) -> Iterator[Path]:
    """Give a copy of the repository's infrastructure in which Terraform may write."""
    for folder in COPIED:
        if (REPOSITORY / folder).is_dir():
            shutil.copytree(
                REPOSITORY / folder, place / folder, ignore=shutil.ignore_patterns(".terraform", "__pycache__")
            )
    yield place


def settings(folder: Path) -> dict[str, str]:
    """Give what Terraform is told: no questions, no news, and the mirror where there is one."""
    told = folder / "terraform.rc"
    where = f'filesystem_mirror {{\n    path = "{MIRROR}"\n  }}' if MIRROR.is_dir() else "direct {}"
    told.write_text(f"provider_installation {{\n  {where}\n}}\n", encoding="utf-8")
    return {"TF_CLI_CONFIG_FILE": str(told), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
