"""DAG files and specs, published as one version and promoted."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

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
        for url in stack.plain_dags:
            _lay_out(boto3.client("s3", stack.region), url, folder)
            tell(f"dags: {url} has them as they are, and MWAA takes them; an older checkout takes it back")
    if not stack.plain_dags:
        tell(f"dags: {version} is what new runs begin with; `bundles promote` of an older one takes it back")


def _lay_out(s3: Any, url: str, folder: Path) -> None:
    """Make a prefix hold the files of a folder, and no others; whoever reads them meanwhile misses none of the old."""
    place = urlsplit(url)
    prefix = f"{place.path.strip('/')}/"
    files = {f"{prefix}{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
    for key, path in files.items():
        s3.put_object(Bucket=place.netloc, Key=key, Body=path.read_bytes())
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.netloc, Prefix=prefix)
    for gone in {there["Key"] for page in pages for there in page.get("Contents", ())} - files.keys():
        s3.delete_object(Bucket=place.netloc, Key=gone)


def _bundles(stack: Stack, *words: str) -> str:
    argv = [str(PYTHON), "-W", "ignore", "-m", "tidemark_orchestration.bundles"]
    told = {**os.environ, "AWS_DEFAULT_REGION": stack.region}
    url = ["--url", stack.settings["TIDEMARK_DAGS"]]
    done = subprocess.run([*argv, *url, *words], env=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDeployable(f"dags: {words[0]}: {done.stderr[-3000:]}")
    return done.stdout
