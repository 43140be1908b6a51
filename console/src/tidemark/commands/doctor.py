"""doctor: is everything there that the other commands need?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
from rich.text import Text

from tidemark.mirror import Mirror
from tidemark.options import json_option, source_option
from tidemark.output import data_console, print_json
from tidemark_contract.errors import EXIT_CONFIGURATION, EXIT_OK, TidemarkError
from tidemark_contract.protection import Protect


@dataclass(frozen=True)
class Check:
    """One thing looked at; `seen` is what is there, or what is wrong and its cure."""

    name: str
    good: bool
    seen: str


@click.command(short_help="Check settings, specs, source, lake and engines.")
@source_option
@json_option
def doctor(source: str | None, as_json: bool) -> int:
    """Say what the other commands would lack here. Exit code 78 if anything."""
    found = list(checks(source))
    good = all(check.good for check in found)
    if as_json:
        print_json({"ok": good, "checks": [vars(check) for check in found]})
        return EXIT_OK if good else EXIT_CONFIGURATION
    for check in found:
        sign = Text("✓ ", "green") if check.good else Text("✗ ", "bold red")
        data_console().print(Text.assemble(sign, f"{check.name:<12}", check.seen), soft_wrap=True)
    return EXIT_OK if good else EXIT_CONFIGURATION


def checks(source: str | None) -> Iterator[Check]:
    """Look at one thing after the other; without settings and specs there is nothing more to look at."""
    yield _try("engines", _engines)
    try:
        mirror = Mirror.open(source)
    except TidemarkError as error:
        yield Check("settings", False, str(error))
        return
    yield Check("specs", True, f"source {mirror.name}, {len(mirror.source.tables)} tables in {mirror.settings.specs}")
    if any(Protect.HASH in spec.protected.values() for spec in mirror.source.tables):
        yield _try("hash key", lambda: _hash_key(mirror))
    yield _try("lake", lambda: _writable(mirror))
    yield _try("source", lambda: _source(mirror.settings.source_url(mirror.name)))
    yield _try("as admin", lambda: _source(mirror.settings.admin_url(mirror.name)))
    yield _try("slot", lambda: _slot(mirror))


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except TidemarkError as error:
        return Check(name, False, str(error))


def _engines() -> str:
    from tidemark.stream import interpreter

    return f"Spark here, Flink in {interpreter().parent.parent}"


def _hash_key(mirror: Mirror) -> str:
    for spec in mirror.source.tables:
        spec.protection(mirror.settings.hash_key())
    return "is set"


def _writable(mirror: Mirror) -> str:
    mirror.check_writable()
    return f"{mirror.settings.lake}; local state in {mirror.settings.state}"


def _source(url: str) -> str:
    from tidemark_source.connection import address, connect

    with connect(url, purpose="doctor") as connection:
        return f"{address(url)} as {connection.info.user}, PostgreSQL {connection.info.server_version // 10000}"


def _slot(mirror: Mirror) -> str:
    from tidemark.status.format import size
    from tidemark.status.look import source_health
    from tidemark_contract.errors import ConfigurationError

    health = source_health(mirror, None)
    if health.problem:
        raise ConfigurationError(health.problem)
    return f"{health.slot_state}, holds {size(health.retained_bytes)} of the source's log"
