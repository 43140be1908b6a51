"""up, down and status on the stack that the demo leaves."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.conftest import Tidemark
from tests.console.place import LOCAL, fetch
from tests.ports import free_port
from tidemark.local.stack import LOAD, Stack
from tidemark.main import run


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A shop in a home of its own, without anything running at the end."""
    for name in [name for name in os.environ if name.startswith("TIDEMARK_")]:
        monkeypatch.delenv(name)
    (tmp_path / "postgres").symlink_to(LOCAL / "postgres")
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    stack = Stack.of_demo()
    yield stack
    stack.remove()


def test_a_stack_writes_settings_that_only_its_owner_reads_and_that_follow_the_server(stack: Stack) -> None:
    stack.make(0.001)

    assert 0o600 == stack.env_file.stat().st_mode & 0o777
    url = stack.environment()["TIDEMARK_SOURCE_SHOP_ADMIN_URL"]
    assert "shop" == fetch(url, "SELECT current_database()")

    stack.server.stop()
    elsewhere = Stack(stack.folder, port=free_port())
    elsewhere.start()

    assert "shop" == fetch(elsewhere.environment()["TIDEMARK_SOURCE_SHOP_ADMIN_URL"], "SELECT current_database()")


def test_the_load_runs_beside_and_down_ends_it_with_the_server(stack: Stack, tidemark: Tidemark) -> None:
    stack.make(0.001)
    stack.start_load(seed=5)
    assert stack.runs(LOAD)

    outcome = tidemark("down")

    assert 0 == outcome.code
    assert "ended: load, PostgreSQL" in outcome.err
    assert not stack.runs(LOAD)
    assert "nothing was running" in tidemark("down").err


def test_status_without_settings_tells_of_the_local_mirror(stack: Stack, tidemark: Tidemark) -> None:
    from tidemark.setup import write_new_specs

    stack.make(0.001)
    write_new_specs(stack.environment(), "shop")

    outcome = tidemark("status")

    assert 0 == outcome.code
    assert str(stack.folder) in outcome.err
    assert "public.lineitem" in outcome.out
    assert outcome.out.splitlines()[-1] == "not verified yet: `tidemark verify`"


def test_status_without_settings_and_without_a_local_mirror_says_what_is_missing(
    stack: Stack, tidemark: Tidemark
) -> None:
    outcome = tidemark("status")

    assert 78 == outcome.code
    assert "TIDEMARK_SPECS is not set" in outcome.err


def test_a_demo_does_not_take_away_a_mirror_that_is_kept_running(stack: Stack) -> None:
    stack.make(0.001)
    stack.keep()

    assert 78 == run(["demo", "--scale", "0.001"])
    assert stack.server.running()

    stack.end()
    assert not stack.is_up()
