"""One job on EMR Serverless, by spark-submit's words; its environment and specs are uploaded where they are missing."""

import io
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.deploy.environment import ROOT, Environment, NotDeployable
from infra.deploy.sources import launch
from infra.deploy.stack import Stack
from infra.deploy.told import tell

# The last that is uploaded: where it is, all is.
LAST = "submit.py"


def submit(stack: Stack, environment: Environment, words: list[str]) -> None:
    """Run a job with the role of its source and workload, and wait for its end; JobFailed, NotDeployable."""
    upload(stack, environment)
    print(launch(stack, stack.jobs, words))


def upload(stack: Stack, environment: Environment) -> None:
    """Put a release's environment, jars, specs and entry point where Terraform tells workers that they are."""
    bucket, release = boto3.client("s3", stack.region), environment.release
    place = stack.buckets["artefacts"]
    bucket.put_object(Bucket=place, Key=f"{release}/specs.zip", Body=zipped(environment.specs))
    if _is_there(bucket, place, f"{release}/{LAST}"):
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "spark"
        tell("submit: put the package together (some minutes)")
        _package(folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        for file in sorted(files, key=lambda each: each.name == LAST):
            tell(f"submit: upload {file.name}")
            bucket.upload_file(str(file), place, f"{release}/{file.relative_to(folder)}")


def zipped(specs: Path) -> bytes:
    """Pack specs, as --archives unpacks them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(specs.glob("*/*.yaml")):
            archive.write(file, file.relative_to(specs))
    return packed.getvalue()


def _is_there(bucket: Any, place: str, key: str) -> bool:
    try:
        bucket.head_object(Bucket=place, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return False
        raise
    return True


def _package(folder: Path) -> None:
    done = subprocess.run(
        ["infra/images/package.sh", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotDeployable(f"the package: {done.stderr[-3000:]}")
