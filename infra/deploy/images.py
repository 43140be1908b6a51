"""Images: built from the checkout, and pushed where they are not there already. A tag means the same for ever."""

import base64
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.deploy.environment import ROOT, NotDeployable
from infra.deploy.stack import Registries
from infra.deploy.told import tell

IMAGES = ("airflow", "flink", "spark")


def missing(registries: Registries, release: str, *names: str) -> list[str]:
    """Name those of some images that the registry does not have with this release."""
    registry = boto3.client("ecr", registries.region)
    repositories = {name: registries.images[name].partition("/")[2] for name in names or IMAGES}
    return [name for name, repository in repositories.items() if not _is_there(registry, repository, release)]


def publish(registries: Registries, release: str, *names: str) -> None:
    """Build and push what is missing of some images; NotDeployable."""
    wanted = missing(registries, release, *names)
    if not wanted:
        tell(f"images: {', '.join(names or IMAGES)} are there as {release}")
        return
    with _logged_in(registries) as docker:
        for name in wanted:
            reference = f"{registries.images[name]}:{release}"
            tell(f"images: build {reference} (some minutes, the first time)")
            _run(["infra/images/build.sh", name, reference])
            tell(f"images: push {reference}")
            _run([*docker, "push", "--quiet", reference])


def _is_there(registry: Any, repository: str, tag: str) -> bool:
    try:
        registry.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return True


@contextmanager
def _logged_in(registries: Registries) -> Iterator[list[str]]:
    """Give the words of a docker that may push for twelve hours; what it knows is gone afterwards."""
    [told] = boto3.client("ecr", registries.region).get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(told["authorizationToken"]).decode().partition(":")
    registry = registries.images[IMAGES[0]].partition("/")[0]
    with tempfile.TemporaryDirectory() as folder:
        docker = ["docker", "--config", folder]
        _run([*docker, "login", "--username", user, "--password-stdin", registry], password)
        yield docker


def _run(argv: list[str], content: str = "") -> None:
    done = subprocess.run(argv, cwd=ROOT, input=content, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDeployable(f"{' '.join(argv)}: {(done.stderr or done.stdout)[-3000:]}")
