"""The stream of a source: a program in Flink's environment that starts, stops and describes the pipeline."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidemark.children import Child, Event
from tidemark.jobs import check
from tidemark.local.home import home
from tidemark.mirror import Mirror
from tidemark_contract.errors import ConfigurationError

ENVIRONMENT_VARIABLE = "TIDEMARK_FLINK_PYTHON"


def interpreter() -> Path:
    """Find the Python of Flink's environment: beside this one, or where TIDEMARK_FLINK_PYTHON says."""
    python = Path(os.environ.get(ENVIRONMENT_VARIABLE) or home() / "venv" / "flink" / "bin" / "python")
    if not python.exists():
        raise ConfigurationError(
            f"there is no Flink environment at {python}: `make setup` makes one, or set {ENVIRONMENT_VARIABLE}"
        )
    return python


def call(mirror: Mirror, *action: str, on_event: Callable[[Event], None] = lambda _: None) -> dict[str, Any]:
    """Ask the stream's program to start, stop or say its status; give the JSON object that it answers with."""
    argv = [str(interpreter()), "-W", "ignore", "-m", "tidemark_streaming", *action, "--source", mirror.name]
    log = mirror.logs / f"stream-{mirror.name}.log"
    with Child(argv, log=log, on_event=on_event, environment=dict(mirror.environment)) as child:
        text = "\n".join(child.lines())
        ended = child.wait()
    check("stream", ended, mirror, {})
    answer = json.loads(text) if text.strip() else {}
    return dict(answer)
