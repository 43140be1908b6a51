"""The settings of one installation, read once from TIDEMARK_* at the edge."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tidemark_contract import s3
from tidemark_contract.errors import SettingsError
from tidemark_contract.protection import HASH_KEY, HashKey

_SCHEMES = ("file://", "s3://")

SECRETS = "TIDEMARK_SECRETS"
"""Where a job finds its secret settings when they are not in its environment."""


@dataclass(frozen=True)
class Settings:
    """Where the specs, the lake, the local state and the sources are. Source URLs hold secrets: never printed."""

    specs: Path
    lake: str
    state: Path
    _environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read TIDEMARK_SPECS, TIDEMARK_LAKE and TIDEMARK_STATE; every problem at once as SettingsError."""
        names = ("TIDEMARK_SPECS", "TIDEMARK_LAKE", "TIDEMARK_STATE")
        missing = [f"{name} is not set: {_MEANING[name]}" for name in names if not environment.get(name)]
        lake = _plain(environment.get("TIDEMARK_LAKE", "").rstrip("/"))
        if lake and (problem := _lake_problem(lake)):
            missing.append(f"TIDEMARK_LAKE is {lake!r}: {problem}")
        if missing:
            raise SettingsError("\n".join(missing))
        return cls(
            specs=Path(environment["TIDEMARK_SPECS"]).absolute(),
            lake=lake,
            state=Path(environment["TIDEMARK_STATE"]).absolute(),
            _environment=environment,
        )

    def source_url(self, source: str) -> str:
        """The libpq URL of the capture role."""
        name = f"TIDEMARK_SOURCE_{source.upper()}_URL"
        if url := self._environment.get(name):
            return url
        raise SettingsError(f"{name} is not set: the URL of the capture role, postgresql://role@host:port/database")

    def admin_url(self, source: str) -> str:
        """The libpq URL of the role that owns the captured tables; for init and drop only."""
        return self._environment.get(f"TIDEMARK_SOURCE_{source.upper()}_ADMIN_URL") or self.source_url(source)

    def stream_url(self, source: str) -> str | None:
        """The address of Flink's REST interface where a cluster runs the stream; None when it is run from here."""
        return self._environment.get(f"TIDEMARK_STREAM_{source.upper()}_URL") or None

    def hash_key(self) -> HashKey | None:
        """The key of hashed columns; None when it is not set, which is no error where none is hashed."""
        text = self._environment.get(HASH_KEY)
        return HashKey.parse(text) if text else None


def _plain(lake: str) -> str:
    """Write a folder's name as it is: Hadoop's paths do not decode `%20`, delta-rs and obstore read both."""
    return unquote(lake) if lake.startswith("file://") else lake


def _lake_problem(lake: str) -> str | None:
    if not lake.startswith(_SCHEMES):
        return "it must start with file:// or s3://"
    if lake.startswith(s3.SCHEME) and not re.fullmatch(s3.PLAIN_PREFIX, lake):
        return "write s3://bucket/prefix, the prefix of letters, digits and . _ = - only"
    if re.search(r"[%?#*\[\]{}]", lake):
        return "choose a folder without % ? # * [ ] { } in its name: the engines read them differently"
    return None


_MEANING = {
    "TIDEMARK_SPECS": "the folder with <source>/source.yaml",
    "TIDEMARK_LAKE": "where the lake is, file:///path or s3://bucket/prefix",
    "TIDEMARK_STATE": "a local folder for checkpoints and logs",
}
