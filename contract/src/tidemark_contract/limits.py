"""What a stream may cost its source, and how far it may be behind, before somebody is told."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tidemark_contract.errors import SettingsError

WAL_MB = "TIDEMARK_LIMIT_WAL_MB"
XMIN_AGE = "TIDEMARK_LIMIT_XMIN_AGE"
CHECKPOINT_S = "TIDEMARK_LIMIT_CHECKPOINT_S"
MARK_S = "TIDEMARK_LIMIT_MARK_S"
DEFAULTS = {
    WAL_MB: 10_000,
    # Half of autovacuum_freeze_max_age's default, from which on PostgreSQL vacuums in vain what the slot keeps.
    XMIN_AGE: 100_000_000,
    CHECKPOINT_S: 300,
    MARK_S: 3600,
}


@dataclass(frozen=True)
class Limits:
    """The source's log that the slot holds, its oldest transaction, the ages of checkpoint and published mark."""

    wal_bytes: int
    xmin_age: int
    checkpoint_s: int
    mark_s: int

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Limits":
        """Read TIDEMARK_LIMIT_*; every problem at once as SettingsError."""
        found = {name: environment.get(name) or str(default) for name, default in DEFAULTS.items()}
        wrong = [f"{name} is {text!r}: write a whole number above 0" for name, text in found.items() if not _good(text)]
        if wrong:
            raise SettingsError("\n".join(wrong))
        numbers = {name: int(text) for name, text in found.items()}
        return cls(numbers[WAL_MB] * 1_000_000, numbers[XMIN_AGE], numbers[CHECKPOINT_S], numbers[MARK_S])


def _good(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0
