"""What init, the demo and up do to a source before a stream can read it."""

from collections.abc import Mapping
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from tidemark.mirror import Mirror
from tidemark_contract.errors import ConfigurationError
from tidemark_source.discover import discover, write_specs
from tidemark_source.init import Plan, apply, plan


def capture_role(mirror: Mirror) -> str:
    """Give the role that captures changes: the one in the source's URL."""
    try:
        role = conninfo_to_dict(mirror.settings.source_url(mirror.name)).get("user")
    except ProgrammingError:
        role = None  # libpq's words may quote the password
    if not role:
        raise ConfigurationError(
            f"TIDEMARK_SOURCE_{mirror.name.upper()}_URL names no role: write postgresql://role:password@host:port/database"
        )
    return str(role)


def make_plan(mirror: Mirror) -> Plan:
    """Find out what the source lacks; change nothing."""
    url = mirror.settings.source_url(mirror.name)
    return plan(mirror.settings.admin_url(mirror.name), capture_role(mirror), mirror.source, capture_url=url)


def prepare(mirror: Mirror) -> Plan:
    """Do what `make_plan` finds, and give it."""
    planned = make_plan(mirror)
    apply(planned)
    return planned


def write_new_specs(environment: Mapping[str, str], name: str) -> None:
    """Write the specs of a source that has none yet, from its database."""
    specs = Path(environment["TIDEMARK_SPECS"])
    if not (specs / name).exists():
        found = discover(environment[f"TIDEMARK_SOURCE_{name.upper()}_ADMIN_URL"], name)
        write_specs(found.spec, specs)
