"""What a version of the DAG files consists of."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tidemark_contract.errors import ConfigurationError

_LEFT_OUT = {"__pycache__", ".git"}
_DIGITS = 16


@dataclass(frozen=True)
class Manifest:
    """The files of a version: path below the folder → SHA-256 of the content. The label is for people."""

    files: Mapping[str, str]
    label: str = ""

    @property
    def version(self) -> str:
        """Name the version by what is in it: the same files are the same version, whoever publishes them."""
        return digest(json.dumps(self.files, sort_keys=True).encode())[:_DIGITS]

    def text(self) -> str:
        """Write it as JSON."""
        return json.dumps({"label": self.label, "files": self.files}, sort_keys=True, indent=1)

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Read it; ConfigurationError for one that would write outside of its folder."""
        facts = json.loads(text)
        for path in facts["files"]:
            parts = PurePosixPath(path).parts
            if not parts or path.startswith("/") or ".." in parts:
                raise ConfigurationError(f"{path!r} in the manifest is outside of the folder: who has written it?")
        return cls(facts["files"], facts["label"])


def of_folder(folder: Path, label: str = "") -> Manifest:
    """Look at a folder of DAG files; ConfigurationError where there is none."""
    files = {path.relative_to(folder).as_posix(): digest(path.read_bytes()) for path in _files(folder)}
    if not files:
        raise ConfigurationError(f"there is no file in {folder}: it should be the folder of the DAGs")
    return Manifest(files, label)


def digest(content: bytes) -> str:
    """Give SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _LEFT_OUT & set(path.relative_to(folder).parts):
            yield path
