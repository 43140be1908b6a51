"""The command line as people and scripts find it."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.console.conftest import Tidemark
from tests.console.place import Place
from tests.present import present
from tidemark.cli import SECTIONS, cli

REFERENCE = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = [command for commands in SECTIONS.values() for command in commands]


def test_help_names_every_command_every_setting_and_every_exit_code(tidemark: Tidemark) -> None:
    outcome = tidemark("--help")

    assert 0 == outcome.code
    assert len(COMMANDS) == len(cli.commands)
    for command in COMMANDS:
        assert re.search(rf"^  {command.name} +[A-Z].*\.$", outcome.out, re.MULTILINE), command.name
    for name in ("TIDEMARK_SPECS", "TIDEMARK_LAKE", "TIDEMARK_STATE", "TIDEMARK_SOURCE_<NAME>_URL", "75 try again"):
        assert name in outcome.out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_option_explains_itself(command: click.Command, tidemark: Tidemark) -> None:
    outcome = tidemark(present(command.name), "--help")

    assert 0 == outcome.code
    assert command.help
    assert [] == [option.name for option in command.params if isinstance(option, click.Option) and not option.help]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_reference_has_every_command_and_option(command: click.Command) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    section = re.search(rf"^### .*`tidemark {command.name}\b.*?(?=^##)", text, re.MULTILINE | re.DOTALL)

    assert section, f"docs/cli.md has no section for tidemark {command.name}"
    for option in command.params:
        if isinstance(option, click.Option):
            assert f"`{option.opts[-1]}" in section[0], f"{command.name} {option.opts[-1]} is not in docs/cli.md"


def test_wrong_usage_exits_with_2_and_says_what_is_right(tidemark: Tidemark) -> None:
    outcome = tidemark("sync", "--continously")

    assert 2 == outcome.code
    assert "" == outcome.out
    assert "--continuous" in outcome.err


def test_the_program_starts_without_loading_an_engine() -> None:
    program = "import sys; from tidemark.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert not {"pyspark", "deltalake", "pyarrow", "psycopg"} & set(done.stderr.split())


def test_discover_prints_the_tables_as_postgresql_writes_them(place: Place, tidemark: Tidemark) -> None:
    outcome = tidemark("discover", "--name", "shop")

    assert 0 == outcome.code
    assert {'"Odd Schema"."a""b"', "public.orders"} == set(outcome.out.splitlines())
    assert "2 tables of shop" in outcome.err
    assert list((place.folder / "specs" / "shop").glob("Odd~20Schema~~*.a~22b.yaml"))


def test_discover_takes_the_named_schemas_and_tables_only(place: Place, tidemark: Tidemark) -> None:
    assert "public.orders\n" == tidemark("discover", "--name", "one", "--schema", "public", *url(place)).out
    assert (
        '"Odd Schema"."a""b"\n'
        == tidemark("discover", "--name", "two", "--table", '"Odd Schema"."a""b"', *url(place)).out
    )


def url(place: Place) -> tuple[str, str]:
    return ("--source-url", place.url("owner"))


def test_init_prints_the_sql_does_it_and_then_has_nothing_to_do(discovered: Place, tidemark: Tidemark) -> None:
    dry = tidemark("init", "--dry-run")

    assert 0 == dry.code
    assert "CREATE PUBLICATION" in dry.out
    assert discovered.untouched()

    assert 0 == tidemark("init").code
    assert not discovered.untouched()
    assert "nothing to do" in tidemark("init").err


def test_a_second_source_has_to_be_named(discovered: Place, tidemark: Tidemark) -> None:
    assert 0 == tidemark("discover", "--name", "other", *url(discovered)).code

    outcome = tidemark("init")

    assert 78 == outcome.code
    assert "other, shop" in outcome.err
    assert 0 == tidemark("init", "--source", "shop").code


def test_a_closed_pipe_ends_the_command_without_a_traceback() -> None:
    command = f"{sys.executable} -m tidemark --help | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Usage: tidemark")
    assert "Traceback" not in done.stderr
