"""JSON log lines on stderr, one summary on stdout: for the console, Airflow and whoever collects logs."""

import json
import sys
from datetime import UTC, datetime


def log(event: str, *, level: str = "info", **facts: object) -> None:
    """Write one event to stderr. Facts are counts, names and versions, never a row's values or a secret."""
    line = {"ts": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **facts}
    # One write a line: print would send the line end by itself, and another thread's line could get in between.
    sys.stderr.write(json.dumps(line, default=str) + "\n")
    sys.stderr.flush()


def summary(facts: dict[str, object]) -> None:
    """Write a run's result to stdout as one JSON object on one line."""
    print(json.dumps(facts, default=str), flush=True)
