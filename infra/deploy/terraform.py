"""Terraform, run in the environment's folder; what it prints is what one sees."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from infra.deploy.environment import Environment, NotDeployable
from infra.deploy.stack import Registries, Stack

BACKEND = "backend.hcl"
# Who pushes images needs the registries, and those their key.
REGISTRIES = "-target=module.tidemark.module.ecr"


@dataclass(frozen=True)
class Terraform:
    """The root module of one environment."""

    environment: Environment

    def init(self) -> None:
        """Get providers and modules, and find the state: where backend.hcl says it is."""
        given = [f"-backend-config={BACKEND}"] if (self.environment.folder / BACKEND).exists() else []
        self._run("init", *given, quiet=True)

    def plan(self) -> None:
        """Print what an apply would do."""
        self._run("plan", *self._variables())

    def apply(self, *targets: str) -> None:
        """Make all of it, or what is targeted and what that needs."""
        self._run("apply", "-auto-approve", *targets, *self._variables())

    def destroy(self) -> None:
        """Take all of it away."""
        self._run("destroy", "-auto-approve", *self._variables())

    def registries(self) -> Registries | None:
        """Say where images go; None where nothing was made yet."""
        output = self._output("registries")
        return Registries(**output) if output else None

    def stack(self) -> Stack | None:
        """Read what was made; None where not all of it was yet."""
        output = self._output("tidemark")
        return Stack.read(output) if output else None

    def _output(self, name: str) -> Any:
        words = ["terraform", "output", "-json", "-no-color"]
        done = subprocess.run(words, cwd=self.environment.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotDeployable(f"terraform output: {done.stderr.strip()}")
        return json.loads(done.stdout).get(name, {}).get("value")

    def _variables(self) -> list[str]:
        values = {"specs": self.environment.specs, "release": self.environment.release}
        return [f"-var={name}={value}" for name, value in values.items()]

    def _run(self, command: str, *words: str, quiet: bool = False) -> None:
        argv = ["terraform", command, "-input=false", *words]
        try:
            done = subprocess.run(argv, cwd=self.environment.folder, capture_output=quiet, text=True, check=False)
        except FileNotFoundError as error:
            raise NotDeployable("terraform is not on the PATH: `make doctor` says what it is for") from error
        if done.returncode:
            told = f": {done.stdout[-1000:]}{done.stderr[-3000:]}" if quiet else "; what it says stands above"
            raise NotDeployable(f"terraform {command} in {self.environment.folder}{told}")
