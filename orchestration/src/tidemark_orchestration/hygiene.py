"""What Airflow itself needs now and then: old runs out of its database, old logs off the disk, a new Fernet key."""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tidemark_contract.errors import SettingsError, TidemarkError
from tidemark_contract.names import HYGIENE_DAG
from tidemark_orchestration.dag import build
from tidemark_orchestration.metadata import clean
from tidemark_orchestration.notify import tell

RUNS_DAYS, LOGS_DAYS, KEY_DAYS = "TIDEMARK_KEEP_RUNS_DAYS", "TIDEMARK_KEEP_LOGS_DAYS", "TIDEMARK_FERNET_DAYS"
KEY_SINCE = "TIDEMARK_FERNET_SINCE"
QUEUE = "TIDEMARK_HYGIENE_QUEUE"
_DEFAULTS = {RUNS_DAYS: 90, LOGS_DAYS: 30, KEY_DAYS: 90}
_DOC = """Remove what Airflow keeps of old runs, and the log files of this worker; remind of the Fernet key's age.

How long is kept, and where this has to run: `docs/orchestration.md#hygiene`."""


def hygiene_dag() -> DAG:
    """Give the one DAG that belongs to no source. Its tasks need nothing of one another."""
    with build(
        HYGIENE_DAG, doc=_DOC, owner="", schedule="@daily", ends_in=timedelta(hours=3), tags=["platform"]
    ) as dag:
        queue = os.environ.get(QUEUE) or "default"
        for operator in (CleanDatabase, DeleteLogs, RemindOfKey):
            operator(task_id=operator.name, queue=queue, execution_timeout=timedelta(hours=1))
    return dag


class HygieneOperator(BaseOperator):
    """One chore; what a person has to change fails it at once, by its reason alone."""

    name = ""
    template_fields = ()

    def execute(self, context: Any) -> dict[str, object]:
        """Give what was done."""
        try:
            return self.do(os.environ, datetime.now(UTC))
        except TidemarkError as error:
            raise AirflowFailException(str(error)) from None

    def do(self, environment: Mapping[str, str], now: datetime) -> dict[str, object]:
        """Do it."""
        raise NotImplementedError


class CleanDatabase(HygieneOperator):
    """Delete runs, tasks, results and events from before some days from Airflow's database, by its own command."""

    name = "clean_database"

    def do(self, environment: Mapping[str, str], now: datetime) -> dict[str, object]:
        """Give the moment before which nothing is left."""
        before = now - _days(RUNS_DAYS, environment)
        clean(before, environment, self.log.info)
        return {"before": before.isoformat()}


class DeleteLogs(HygieneOperator):
    """Delete log files that nothing was written to for some days, from this worker's disk."""

    name = "delete_logs"

    def do(self, environment: Mapping[str, str], now: datetime) -> dict[str, object]:
        """Give the number of files and their bytes."""
        from airflow.sdk.configuration import conf

        folder = Path(conf.get("logging", "base_log_folder"))
        return {"folder": str(folder), **delete_old(folder, (now - _days(LOGS_DAYS, environment)).timestamp())}


class RemindOfKey(HygieneOperator):
    """Tell when the Fernet key is older than it should get."""

    name = "remind_of_fernet_key"

    def do(self, environment: Mapping[str, str], now: datetime) -> dict[str, object]:
        """Give the key's age; skipped where nobody has said since when it is used."""
        if not (text := environment.get(KEY_SINCE)):
            raise AirflowSkipException(f"{KEY_SINCE} is not set: the day since when the Fernet key is used")
        age, allowed = now.date() - _day(text), _days(KEY_DAYS, environment)
        if age > allowed:
            tell(
                f"Airflow's Fernet key is {age.days} days old",
                f"It should not be older than {allowed.days}: put a new one before it in AIRFLOW__CORE__FERNET_KEY "
                f"(new,old), run `airflow rotate-fernet-key`, drop the old one, and set {KEY_SINCE} to that day.",
            )
        return {"age_days": age.days, "allowed_days": allowed.days, "told": age > allowed}


def delete_old(folder: Path, before: float) -> dict[str, object]:
    """Delete files last written before a moment, and folders that are empty since; links are not followed."""
    files = size = 0
    for within, folders, names in os.walk(folder, topdown=False):
        for path in (Path(within, name) for name in names):
            with suppress(FileNotFoundError):  # another worker with the same disk was first
                facts = path.lstat()
                if facts.st_mtime < before:
                    path.unlink()
                    files, size = files + 1, size + facts.st_size
        for path in (Path(within, name) for name in folders):
            with suppress(FileNotFoundError):
                if not path.is_symlink() and path.stat().st_mtime < before:
                    _remove_empty(path)
    return {"files": files, "bytes": size}


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise


def _days(name: str, environment: Mapping[str, str]) -> timedelta:
    text = environment.get(name) or str(_DEFAULTS[name])
    if not (text.isascii() and text.isdigit() and int(text)):
        raise SettingsError(f"{name} is {text!r}: write a whole number of days above 0")
    return timedelta(days=int(text))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{KEY_SINCE} is {text!r}: write a day as 2026-01-31") from None
