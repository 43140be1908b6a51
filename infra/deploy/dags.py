"""DAG files and specs, published as one version and promoted."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.deploy.environment import ROOT, Environment, NotDeployable
from infra.deploy.stack import Stack
from infra.deploy.told import tell

# Who promotes a version parses it first: that takes Airflow's own environment.
PYTHON = ROOT / ".tidemark" / "venv" / "airflow" / "bin" / "python"


def publish(stack: Stack, environment: Environment) -> None:
    """Publish what is checked out, and let new runs begin with it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "dags"
        shutil.copytree(ROOT / "orchestration" / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(environment.specs, folder / "specs")
        version = _bundles(stack, "publish", str(folder), "--label", environment.release).strip()
    _bundles(stack, "promote", version)
    tell(f"dags: {version} is what new runs begin with; `bundles promote` of an older one takes it back")


def _bundles(stack: Stack, *words: str) -> str:
    argv = [str(PYTHON), "-W", "ignore", "-m", "tidemark_orchestration.bundles"]
    told = {**os.environ, "AWS_DEFAULT_REGION": stack.region}
    url = ["--url", stack.settings["TIDEMARK_DAGS"]]
    done = subprocess.run([*argv, *url, *words], env=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDeployable(f"dags: {words[0]}: {done.stderr[-3000:]}")
    return done.stdout
