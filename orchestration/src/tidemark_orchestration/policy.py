"""`python -m tidemark_orchestration.policy [SERVICE]`: refuse an Airflow that lets strangers in, or gives a task twice.

The image runs it before a service starts, and `prepare` before anything: a setting of that kind is often made in the
container that runs, and forgotten there. A service is asked what it is told of: an API server of who gets in, a
scheduler of its queue, a worker of that and of its jobs. Airflow on a laptop (`make up`) is not asked.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence

from airflow.providers.common.compat.sdk import conf

from tidemark_contract.errors import ConfigurationError
from tidemark_orchestration.launchers import LAUNCHER, LOCAL

_MANAGER = "[core] auth_manager (AIRFLOW__CORE__AUTH_MANAGER)"
_PUBLIC = "[fab] auth_role_public (AIRFLOW__FAB__AUTH_ROLE_PUBLIC)"
_HIDDEN = "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"
_MOST_OF_SQS_S = 43_200
_CURE = "take it out, and give people a login and a role: docs/orchestration.md#who-may-do-what"


def refuse_what_is_unsafe(service: str | None = None) -> None:
    """Raise ConfigurationError with all that is open, or done twice, and the cure."""
    asked = ASKED[service] if service else (open_doors, hasty_queues)
    if found := [problem for ask in asked for problem in ask()]:
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
    hidden = conf.get("celery_broker_transport_options", "visibility_timeout", fallback="")
    if _is_sqs() and not (hidden.isdecimal() and 0 < int(hidden) <= _MOST_OF_SQS_S):
        most = _MOST_OF_SQS_S
        yield f"{_HIDDEN} is {hidden!r}: SQS takes up to {most}, and Celery asks for twice that; write {most}"


def long_jobs() -> Iterator[str]:
    """Say where a task may take longer than SQS hides it. Only a worker is told where its jobs run."""
    if _is_sqs() and (os.environ.get(LAUNCHER) or LOCAL) == LOCAL:
        yield (
            f"{LAUNCHER} is {LOCAL}: a copy may take a day on its worker, and SQS hides a task for twelve hours; let "
            "jobs run elsewhere, where they hold up no worker (docs/orchestration.md#where-a-job-runs), or take Redis"
        )


ASKED: dict[str, Sequence[Callable[[], Iterator[str]]]] = {
    "api-server": (open_doors,),
    "scheduler": (hasty_queues,),
    "celery": (hasty_queues, long_jobs),
}


def _is_sqs() -> bool:
    return bool(conf.get("celery", "broker_url", fallback="").startswith("sqs:"))


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


def main(words: Sequence[str]) -> int:
    """Say what is unsafe; 78 when anything is."""
    if len(words) > 1 or not set(words) <= set(ASKED):
        print(f"usage: python -m tidemark_orchestration.policy [{' | '.join(ASKED)}]", file=sys.stderr)
        return 2
    try:
        refuse_what_is_unsafe(*words)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
