"""How a job tells its end to whoever has started it elsewhere: one small object at an address that it is given."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tidemark_contract.errors import EXIT_OK

ADDRESS = "TIDEMARK_OUTCOME"
"""The variable that names the object, file:///… or s3://…; unset, nothing is written."""


@dataclass(frozen=True)
class Outcome:
    """A job's exit code, the summary that it printed last, and why it failed. No secrets are in it."""

    code: int = EXIT_OK
    summary: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> str:
        """Write it; times and the like become text, as in a summary."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def parse(cls, text: str) -> "Outcome":
        """Read it back; ValueError for anything else."""
        try:
            found = json.loads(text)
            return cls(int(found["code"]), dict(found["summary"]), str(found["reason"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the outcome of a job: {text[:100]!r}") from error
