"""`python -m tidemark_orchestration.policy`: refuse an Airflow that lets in somebody who has not logged in.

The image runs it before an API server starts, and `prepare` before anything: a setting of that kind is often made in
the container that runs, and forgotten there. Airflow on a laptop (`make up`) is not asked.
"""

import sys
from collections.abc import Iterator

from airflow.providers.common.compat.sdk import conf

from tidemark_contract.errors import ConfigurationError

_MANAGER = "[core] auth_manager (AIRFLOW__CORE__AUTH_MANAGER)"
_PUBLIC = "[fab] auth_role_public (AIRFLOW__FAB__AUTH_ROLE_PUBLIC)"
_CURE = "take it out, and give people a login and a role: docs/orchestration.md#who-may-do-what"


def refuse_open_doors() -> None:
    """Raise ConfigurationError with all that is open, and what shuts it."""
    if found := list(open_doors()):
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
    """Say what is open; 78 when anything is."""
    try:
        refuse_open_doors()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
