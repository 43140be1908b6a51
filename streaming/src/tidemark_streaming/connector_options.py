"""What the connector is told about a source: what may be shown, and files that hold what may not."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from tidemark_contract.settings import Settings
from tidemark_contract.specs import load_source
from tidemark_streaming.protection import protect_option
from tidemark_streaming.source_url import SourceUrl

# How often the end of the server's log is asked for: lag is never older than that.
_LAG_OPTIONS = {"wal.end.interval.ms": "2000"}


@dataclass(frozen=True)
class ConnectorOptions:
    """The connector's options by name; of a secret the option names a file, so that it is in no job graph."""

    shown: dict[str, str]
    secrets: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, source: str, settings: Settings) -> "ConnectorOptions":
        """Read them from the source's URL and its specs; SettingsError, SpecError."""
        url, key = SourceUrl.parse(settings.source_url(source)), settings.hash_key()
        protect = protect_option(load_source(settings.specs / source), key)
        shown, secrets = url.options | _LAG_OPTIONS, {"password.file": url.password}
        if protect:
            shown |= {"protect": protect}
            secrets |= {"hash.key.file": key.text} if key else {}
        return cls(shown, secrets)

    @property
    def server(self) -> tuple[str, int]:
        """Host and port of the source."""
        return self.shown["host"], int(self.shown["port"])

    def with_secrets_in(self, folder: Path) -> dict[str, str]:
        """Write each secret where only our user reads it, and the connector; give all options."""
        return self.shown | {option: _keep(folder, option, secret) for option, secret in self.secrets.items()}


def _keep(folder: Path, option: str, secret: str) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / option.removesuffix(".file")
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(secret)
    return str(file)
