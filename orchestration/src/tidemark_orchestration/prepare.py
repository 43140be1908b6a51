"""`python -m tidemark_orchestration.prepare`: make an Airflow's database one that our DAGs can run in.

Migrations, roles, the administrator, the pools of all sources, and the connections of config/connections.json; the
scaler's login too, where TIDEMARK_SCALER_PASSWORD_FILE names its password. It may run again, and beside another: one
waits for the other.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from airflow.providers.common.compat.sdk import conf
from sqlalchemy import create_engine, text

from tidemark_contract.errors import SettingsError, TidemarkError
from tidemark_contract.outlines import load_outlines
from tidemark_orchestration import roles
from tidemark_orchestration.policy import refuse_what_is_unsafe
from tidemark_orchestration.pools import pools, specs
from tidemark_orchestration.scaler.work import PASSWORD as SCALER_PASSWORD

ADMIN, SCALER = "admin", "scaler"
_LOCK = 0x71DE_A1F0  # any number that nobody else locks in this database


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Do all of it, or say what is in the way."""
    try:
        prepare(environment)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def prepare(environment: Mapping[str, str]) -> None:
    """Do all of it while nobody else does. What is wrong with the settings is said before anything is done."""
    file = environment.get("TIDEMARK_ADMIN_PASSWORD_FILE", "/run/secrets/admin-password")
    passwords = {ADMIN: _password(ADMIN, file)}
    if file := environment.get(SCALER_PASSWORD, ""):
        passwords[SCALER] = _password(SCALER, file)
    refuse_what_is_unsafe()
    sources = load_outlines(specs(environment))
    wanted = roles.roles(source.owner for source in sources)
    with _alone():
        _airflow("db", "migrate")
        _let_in(passwords, wanted)
        _import("pools", json.dumps(pools(sources)))
        connections = Path(environment["AIRFLOW_HOME"], "config", "connections.json")
        if connections.exists():
            _airflow("connections", "import", "--overwrite", str(connections))


def _password(user: str, file: str) -> str:
    path = Path(file)
    password = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if not password:
        raise SettingsError(f"{file} has no password for {user} in it")
    return password


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock of the database; it goes with the connection, however this process ends."""
    engine = create_engine(conf.get("database", "sql_alchemy_conn"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        yield
    engine.dispose()


def _airflow(*words: str) -> None:
    """Run a command of Airflow's, here: its start is what costs the most of it. SystemExit when it fails."""
    from airflow.cli.cli_parser import get_parser

    asked = get_parser().parse_args(words)
    asked.func(asked)


def _import(what: str, content: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(content)
        file.flush()
        _airflow(what, "import", file.name)


def _let_in(passwords: Mapping[str, str], wanted: Mapping[str, frozenset[roles.Right]]) -> None:
    """Make the roles, and the logins, or give these the passwords that they have to have now."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        roles.apply(manager, wanted)
        for user, password in passwords.items():
            role = manager.find_role("Admin" if user == ADMIN else "Viewer")
            if found := manager.find_user(user):
                manager.reset_password(found.id, password)
            elif not manager.add_user(user, user, user, f"{user}@localhost", role, password):
                raise SettingsError(f"{user} could not be made: see above")


if __name__ == "__main__":
    sys.exit(main())
