"""Airflow's own database, from a task: Airflow 3 keeps tasks away from it, so this needs to be let in on purpose.

A task's process has AIRFLOW__DATABASE__SQL_ALCHEMY_CONN overwritten with an address that leads nowhere. What Airflow
reads instead of it when it is absent, a command or a file that gives the address, is still there for a new process, on
a worker that was given one. Others (Celery's, which talk to the API server only) have none, and should not.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from datetime import datetime
from pathlib import Path

from tidemark_contract.errors import ConfigurationError, TidemarkError

CONN = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# The old name is overwritten too, and would be read.
_OVERWRITTEN = (CONN, "AIRFLOW__CORE__SQL_ALCHEMY_CONN")
_BLOCKED = "airflow-db-not-allowed:"
_OTHER_WAYS = (f"{CONN}_CMD", f"{CONN}_SECRET")
_CURE = (
    "this worker is not let in to Airflow's database, as a task of Airflow 3 should not be. Give the one worker that "
    f"is to clean it {CONN}_CMD, a command that prints the address, and send the task there "
    "(TIDEMARK_HYGIENE_QUEUE); or pause this DAG and let `airflow db clean` run beside the scheduler, by cron"
)


def clean(before: datetime, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Run `airflow db clean`; ConfigurationError where there is no database to be reached from."""
    words = ["db", "clean", "--clean-before-timestamp", before.isoformat()]
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words, "--yes", "--skip-archive", "--error-on-cleanup-failure"],
        env=let_in(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    for line in lines:
        tell(line)
    if done.returncode:
        last = lines[-1] if lines else "nothing"
        raise TidemarkError(f"airflow db clean ended with {done.returncode}; the last that it said is: {last}")


def let_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the environment in which a process of its own reaches the database."""
    kept = {name: value for name, value in environment.items() if not _is_blocked(name, value)}
    if CONN in kept or any(kept.get(name) for name in _OTHER_WAYS) or _in_file(kept):
        return kept
    raise ConfigurationError(_CURE)


def _is_blocked(name: str, value: str) -> bool:
    return name in _OVERWRITTEN and value.startswith(_BLOCKED)


def _in_file(environment: Mapping[str, str]) -> bool:
    """Tell whether Airflow's file names a database: SQLite is what it says when nobody has thought of it."""
    home = environment.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow")
    parser = ConfigParser(interpolation=None, strict=False)
    parser.read(Path(environment.get("AIRFLOW_CONFIG") or Path(home, "airflow.cfg")), encoding="utf-8")
    named = parser.get("database", "sql_alchemy_conn", fallback="")
    command = parser.get("database", "sql_alchemy_conn_cmd", fallback="")
    return bool(command) or bool(named and not named.startswith("sqlite"))
