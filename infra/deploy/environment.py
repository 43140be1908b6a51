"""What is deployed where: one folder of infra/terraform/environments, the specs, and the commit that is checked out."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tidemark_contract.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "infra" / "terraform" / "environments"
SHORT = 12


class NotDeployable(ConfigurationError):
    """Something has to be put right before anything is deployed."""


@dataclass(frozen=True)
class Environment:
    """`release` is what images are tagged with: it means the same code for ever."""

    name: str
    specs: Path
    release: str
    kubeconfig: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its root module is, and what a person has written beside it."""
        return ENVIRONMENTS / self.name

    @classmethod
    def read(cls, name: str, specs: Path, release: str | None, kubeconfig: Path | None) -> "Environment":
        """Check that all of it is there; NotDeployable."""
        if not (ENVIRONMENTS / name / "main.tf").is_file():
            known = ", ".join(sorted(folder.name for folder in ENVIRONMENTS.iterdir()))
            raise NotDeployable(f"there is no environment {name!r}: ENV= can be {known}")
        if not list(specs.glob("*/source.yaml")):
            raise NotDeployable(f"no <source>/source.yaml in {specs}: SPECS= names the folder")
        return cls(name, specs.absolute(), release or commit(), kubeconfig)


def commit() -> str:
    """Name the commit that is checked out; NotDeployable where the files are not those of it."""
    if changed := _git("status", "--porcelain", "--untracked-files=no"):
        raise NotDeployable(f"what is checked out is changed: commit it, or name it with RELEASE=\n{changed}")
    return _git("rev-parse", f"--short={SHORT}", "HEAD")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDeployable(f"git {words[0]}: {done.stderr.strip()}; RELEASE= names what is deployed")
    return done.stdout.strip()
