"""The mirror that a command is about: its settings, its source's spec and its places in the lake."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import environ
from pathlib import Path
from urllib.parse import unquote, urlparse

from tidemark_contract.errors import ConfigurationError, LakeUnavailable
from tidemark_contract.layout import Layout
from tidemark_contract.secret_files import secret_files
from tidemark_contract.settings import Settings
from tidemark_contract.specs import SourceSpec, load_sources


@dataclass(frozen=True)
class Mirror:
    """One source, where it is mirrored to, and how to reach both."""

    settings: Settings
    source: SourceSpec
    environment: Mapping[str, str] = field(default_factory=lambda: environ, repr=False)

    @classmethod
    def open(cls, name: str | None, environment: Mapping[str, str] = environ) -> "Mirror":
        """Read settings and specs; without a name there has to be exactly one source."""
        environment = _with_secrets(environment)
        settings = Settings.read(environment)
        sources = {source.name: source for source in load_sources(settings.specs)}
        if name is None and len(sources) == 1:
            return cls(settings, next(iter(sources.values())), environment)
        listed = ", ".join(sources)
        if name is None:
            raise ConfigurationError(f"{settings.specs} has several sources: say --source with one of {listed}")
        if name not in sources:
            raise ConfigurationError(f"source {name!r} has no spec below {settings.specs}; there are {listed}")
        return cls(settings, sources[name], environment)

    @classmethod
    def all(cls, environment: Mapping[str, str] = environ) -> "list[Mirror]":
        """Read settings and the specs of all sources."""
        environment = _with_secrets(environment)
        settings = Settings.read(environment)
        return [cls(settings, source, environment) for source in load_sources(settings.specs)]

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    @property
    def layout(self) -> Layout:
        """The source's places in the lake."""
        return Layout(self.settings.lake, self.source.name)

    @property
    def logs(self) -> Path:
        """The folder for logs of what the console starts."""
        return self.settings.state / "logs"

    def check_writable(self) -> None:
        """Raise before anything is begun when the local state or the lake cannot be written."""
        _check_folder(self.settings.state, "TIDEMARK_STATE")
        parts = urlparse(self.settings.lake)
        if parts.scheme == "file":
            _check_folder(Path(unquote(parts.path)), "TIDEMARK_LAKE")
            return
        from tidemark.lake import check_s3

        check_s3(self.settings.lake)


def _with_secrets(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Add those that a pod mounts."""
    found = secret_files(environment)
    return {**environment, **found} if found else environment


def _check_folder(folder: Path, setting: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LakeUnavailable(
            f"{setting} is {folder}, which cannot be written ({error.strerror}): "
            "give this user the right to, or point it at another folder"
        ) from error
