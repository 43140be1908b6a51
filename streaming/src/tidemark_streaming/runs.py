"""The record of a pipeline's last start: which job, which incarnation, where its state goes."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "run.json"


@dataclass(frozen=True)
class Run:
    """One start; `checkpoints` is a local folder, `landing` a URL, `stopped` whether it was ended on request."""

    job: str
    incarnation: int
    landing: str
    checkpoints: str
    stopped: bool = False

    @classmethod
    def read(cls, folder: Path) -> "Run | None":
        """Read the record in a pipeline's folder, None before the first start."""
        try:
            return cls(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def write(self, folder: Path) -> None:
        """Replace the record, at once or not at all."""
        draft = folder / f"{_FILE}.draft"
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(draft, folder / _FILE)
