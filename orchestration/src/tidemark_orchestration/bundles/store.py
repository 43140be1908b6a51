"""Where versions of the DAG files are kept: a prefix of an S3 bucket."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from tidemark_contract.errors import ConfigurationError
from tidemark_orchestration.bundles.manifest import Manifest, digest, of_folder

_ABSENT = {"404", "NoSuchKey"}


@dataclass(frozen=True)
class Published:
    """A version that can be promoted."""

    version: str
    label: str
    at: datetime


@dataclass(frozen=True)
class Store:
    """One prefix; `client` is boto3's S3 client."""

    url: str
    client: Any

    def publish(self, folder: Path, label: str = "") -> Manifest:
        """Store a folder as a version. The manifest is written last: a version is there as a whole, or not at all.

        Objects are written though they may be there: so one that somebody has written over is what it was again.
        """
        manifest = of_folder(folder, label)
        for path, hashed in manifest.files.items():
            content = (folder / path).read_bytes()
            if digest(content) != hashed:
                raise ConfigurationError(f"{folder / path} was changed while it was published: publish it again")
            self._put(_object(hashed), content)
        if self._get(_manifest(manifest.version)) is None:
            self._put(_manifest(manifest.version), manifest.text().encode())
        return manifest

    def promote(self, version: str) -> None:
        """Let new runs begin with a version; ConfigurationError where it is not there."""
        self.manifest(version)
        self._put("current.json", json.dumps({"version": version}).encode())

    def current(self) -> str:
        """Give the version that new runs begin with; ConfigurationError while none was promoted."""
        content = self._get("current.json")
        if content is None:
            raise ConfigurationError(
                f"no version of the DAGs was promoted in {self.url}: "
                "`python -m tidemark_orchestration.bundles publish`, then `promote`"
            )
        return str(json.loads(content)["version"])

    def manifest(self, version: str) -> Manifest:
        """Read what a version consists of; ConfigurationError where it was never published."""
        content = self._get(_manifest(version)) if version.isalnum() else None
        if content is None:
            raise ConfigurationError(
                f"{self.url} has no version {version!r} of the DAGs: `python -m tidemark_orchestration.bundles list`"
            )
        manifest = Manifest.parse(content.decode())
        if manifest.version != version:
            raise ConfigurationError(f"the manifest of version {version} in {self.url} is not what was published")
        return manifest

    def versions(self) -> list[Published]:
        """Give all versions, the newest last."""
        found = [
            Published(version, self.manifest(version).label, there["LastModified"])
            for there in self._list("manifests/")
            for version in [there["Key"].rpartition("/")[2].removesuffix(".json")]
        ]
        return sorted(found, key=lambda published: published.at)

    def fetch(self, version: str, into: Path) -> None:
        """Write a version's files into a folder; ConfigurationError where one is not what the manifest says."""
        for path, hashed in self.manifest(version).files.items():
            content = self._get(_object(hashed))
            if content is None or digest(content) != hashed:
                raise ConfigurationError(f"{path} of version {version} in {self.url} is not what was published")
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    @property
    def _place(self) -> tuple[str, str]:
        parts = urlsplit(self.url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ConfigurationError(f"{self.url!r} is no place for DAGs: s3://bucket/prefix")
        prefix = parts.path.strip("/")
        return parts.netloc, f"{prefix}/" if prefix else ""

    def _key(self, name: str) -> dict[str, str]:
        bucket, prefix = self._place
        return {"Bucket": bucket, "Key": prefix + name}

    def _put(self, name: str, content: bytes) -> None:
        self.client.put_object(**self._key(name), Body=content)

    def _get(self, name: str) -> bytes | None:
        try:
            return bytes(self.client.get_object(**self._key(name))["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            return None

    def _list(self, below: str) -> Iterator[Mapping[str, Any]]:
        bucket, prefix = self._place
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + below):
            yield from page.get("Contents", ())


def _object(hashed: str) -> str:
    return f"objects/{hashed}"


def _manifest(version: str) -> str:
    return f"manifests/{version}.json"
