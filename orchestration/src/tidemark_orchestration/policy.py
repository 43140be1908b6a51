"""`python -m tidemark_orchestration.policy`: refuse an Airflow that lets strangers in, or gives a task twice.

The image runs it before an API server starts, and `prepare` before anything: a setting of that kind is often made in
the container that runs, and forgotten there. Airflow on a laptop (`make up`) is not asked.
"""

import os
import sys
from collections.abc import Iterator

from airflow.providers.common.compat.sdk import conf

from tidemark_contract.errors import ConfigurationError
from tidemark_orchestration.launchers import LAUNCHER, LOCAL

_MANAGER = "[core] auth_manager (AIRFLOW__CORE__AUTH_MANAGER)"
_PUBLIC = "[fab] auth_role_public (AIRFLOW__FAB__AUTH_ROLE_PUBLIC)"
_HIDDEN = "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"
_MOST_OF_SQS_S = 43_200
_CURE = "take it out, and give people a login and a role: docs/orchestration.md#who-may-do-what"


def refuse_what_is_unsafe() -> None:
    """Raise ConfigurationError with all that is open, or done twice, and the cure."""
    if found := [*open_doors(), *hasty_queues()]:
        raise ConfigurationError("\n".join(found))


def open_doors() -> Iterator[str]:
    """Say of each setting that lets strangers in what it is, where it is, and what to do."""
    manager = conf.get("core", "auth_manager")
    if manager.endswith("SimpleAuthManager"):
        yield (
            f"{_MANAGER} is {manager}, which is for a developer's own machine: set it to "
            "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
        )
    if role := conf.get("fab", "auth_role_public", fallback=""):
        yield f"{_PUBLIC} is {role!r}: who has not logged in would have that role; {_CURE}"
    yield from _in_file(conf.get("fab", "config_file", fallback=""))


def hasty_queues() -> Iterator[str]:
    """Say where SQS would give a task that still runs to another worker: it hides one for twelve hours at most."""
    if not conf.get("celery", "broker_url", fallback="").startswith("sqs:"):
        return
    hidden = conf.get("celery_broker_transport_options", "visibility_timeout", fallback="")
    if not hidden.isdecimal() or not 0 < int(hidden) <= _MOST_OF_SQS_S:
        most = _MOST_OF_SQS_S
        yield f"{_HIDDEN} is {hidden!r}: SQS takes up to {most}, and Celery asks for twice that; write {most}"
    if (os.environ.get(LAUNCHER) or LOCAL) == LOCAL:
        yield (
            f"{LAUNCHER} is {LOCAL}: a copy may take a day on its worker, and SQS hides a task for twelve hours; let "
            "jobs run elsewhere, where they hold up no worker (docs/orchestration.md#where-a-job-runs), or take Redis"
        )


def _in_file(file: str) -> Iterator[str]:
    from flask import Flask

    app = Flask(__name__)
    settings = app.config
    with app.app_context():  # as FAB reads it
        settings.from_pyfile(file, silent=True)
    if role := settings.get("AUTH_ROLE_PUBLIC"):
        yield f"AUTH_ROLE_PUBLIC in {file} is {role!r}: who has not logged in would have that role; {_CURE}"
    if settings.get("AUTH_USER_REGISTRATION") and settings.get("AUTH_USER_REGISTRATION_ROLE") == "Admin":
        yield (
            f"AUTH_USER_REGISTRATION_ROLE in {file} is 'Admin': whoever logs in for the first time would be one; "
            "make it a role that may look only, and give Admin by hand or by AUTH_ROLES_MAPPING"
        )


def main() -> int:
    """Say what is unsafe; 78 when anything is."""
    try:
        refuse_what_is_unsafe()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
