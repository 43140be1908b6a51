"""What is wrong is said once, with place and cure; the exit code says what to do next; nothing is half-made."""

import json
import re
import socket
from pathlib import Path

import pytest
import yaml

from tests.console.conftest import Tidemark
from tests.console.place import LOCAL, Place, execute
from tidemark.local.postgres import EmbeddedPostgres


def test_missing_settings_are_told_all_at_once(tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIDEMARK_SPECS", "TIDEMARK_LAKE", "TIDEMARK_STATE"):
        monkeypatch.delenv(name, raising=False)

    outcome = tidemark("sync")

    assert 78 == outcome.code
    assert "" == outcome.out
    for name in ("TIDEMARK_SPECS", "TIDEMARK_LAKE", "TIDEMARK_STATE"):
        assert 1 == outcome.err.count(f"{name} is not set")


def test_a_script_gets_its_error_as_one_json_object(tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDEMARK_SPECS", raising=False)

    outcome = tidemark("sync", "--json")

    facts = json.loads(outcome.err)
    assert ("SettingsError", 78) == (facts["error"], facts["exit_code"])
    assert "TIDEMARK_SPECS is not set" in facts["message"]


def test_a_wrong_spec_is_told_with_every_problem_of_every_file(discovered: Place, tidemark: Tidemark) -> None:
    folder = discovered.folder / "specs" / "shop"
    (folder / "public.orders.yaml").write_text(
        "table: public.orders\nkey: [idd]\ncolumns:\n  - {name: id, type: bigint}\n  - {nam: x}\nhistroy: scd2\n"
    )

    outcome = tidemark("init")

    assert 78 == outcome.code
    assert "key: 'idd' is not a column; columns are id" in outcome.err
    assert "columns: entry 2 must have name and type" in outcome.err
    assert "histroy: unknown" in outcome.err
    assert discovered.untouched()


def test_a_source_that_has_no_spec_is_named_with_those_that_have(discovered: Place, tidemark: Tidemark) -> None:
    outcome = tidemark("status", "--source", "shpo")

    assert 78 == outcome.code
    assert "'shpo' has no spec" in outcome.err
    assert "there are shop" in outcome.err


def test_a_table_without_a_spec_is_refused_before_spark_starts(discovered: Place, tidemark: Tidemark) -> None:
    outcome = tidemark("copy", "public.ordres")

    assert 78 == outcome.code
    assert "public.ordres has no spec in source shop" in outcome.err
    assert "public.orders" in outcome.err
    assert not (discovered.folder / "state" / "logs").exists()


def test_a_server_that_is_not_there_is_worth_another_try(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = discovered.url("owner").replace(f":{discovered.server.port}/", f":{port}/")
    monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_ADMIN_URL", url)

    outcome = tidemark("init")

    assert 75 == outcome.code
    assert f"127.0.0.1:{port}/{discovered.database}" in outcome.err


def test_a_wrong_password_is_to_be_configured(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_ADMIN_URL", discovered.server.url("owner", discovered.database, "wrong"))

    outcome = tidemark("init")

    assert 78 == outcome.code
    assert "password authentication failed" in outcome.err


def test_an_admin_role_that_owns_nothing_is_told_what_it_lacks_and_nothing_is_made(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_ADMIN_URL", discovered.url("nobody"))

    outcome = tidemark("init")

    assert 78 == outcome.code
    assert "public.orders: its owner is owner, which the admin role is not a member of" in outcome.err
    assert '"Odd Schema"."a""b": its owner is owner' in outcome.err
    assert discovered.untouched()


def test_a_capture_role_without_replication_is_told_the_statement_that_gives_it(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_URL", discovered.url("nobody"))

    outcome = tidemark("init")

    assert 78 == outcome.code
    assert "ALTER ROLE nobody LOGIN REPLICATION" in outcome.err
    assert discovered.untouched()


def test_a_table_without_key_and_without_full_identity_is_told_the_statement_that_mends_it(
    place: Place, tidemark: Tidemark
) -> None:
    execute(place.url("owner"), "CREATE TABLE log (line text)")
    assert 0 == tidemark("discover", "--name", "shop").code

    outcome = tidemark("init")

    assert 78 == outcome.code
    assert "ALTER TABLE public.log REPLICA IDENTITY FULL" in outcome.err
    assert place.untouched()


def test_wal_level_replica_is_told_with_its_cure_and_nothing_is_made(
    discovered: Place, tidemark: Tidemark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(LOCAL / "postgres" / "17", tmp_path / "replica", settings={"wal_level": "replica"})
    with server:
        execute(server.superuser_url, "CREATE TABLE orders (id bigint PRIMARY KEY, state text)")
        monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_ADMIN_URL", server.superuser_url)
        monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_URL", server.superuser_url)
        outcome = tidemark("init")
    server.remove()

    assert 78 == outcome.code
    assert "wal_level is replica: ALTER SYSTEM SET wal_level = logical" in outcome.err


@pytest.mark.parametrize("command", [("start", "--detach"), ("copy",), ("sync",), ("verify",), ("gold",)])
def test_a_lake_that_cannot_be_written_stops_everything_before_it_begins(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (discovered.folder / "file").write_text("not a folder")
    monkeypatch.setenv("TIDEMARK_LAKE", (discovered.folder / "file" / "lake").as_uri())

    outcome = tidemark(*command)

    assert 75 == outcome.code
    assert "TIDEMARK_LAKE is" in outcome.err
    assert "cannot be written" in outcome.err
    assert not (discovered.folder / "state" / "logs").exists()


def test_a_port_in_use_ends_the_demo_with_one_message_and_nothing_running(
    tidemark: Tidemark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres").symlink_to(LOCAL / "postgres")
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = tidemark("demo", "--port", str(port), "--scale", "0.001")

    assert 78 == outcome.code
    assert f"port {port} on 127.0.0.1 is in use" in outcome.err
    assert not EmbeddedPostgres(LOCAL / "postgres" / "17", tmp_path / "demo" / "postgres").running()


def test_drop_without_yes_says_what_would_go_and_leaves_it(discovered: Place, tidemark: Tidemark) -> None:
    assert 0 == tidemark("init").code

    outcome = tidemark("drop")

    assert 78 == outcome.code
    assert "say --yes" in outcome.err
    assert not discovered.untouched()
    assert 0 == tidemark("drop", "--yes").code
    assert discovered.untouched()


def test_without_a_flink_environment_start_says_how_to_get_one(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path / "nothing"))

    outcome = tidemark("start", "--detach")

    assert 78 == outcome.code
    assert "make setup" in outcome.err


def test_no_command_shows_a_password(discovered: Place, tidemark: Tidemark) -> None:
    for command in (("doctor",), ("init", "--dry-run"), ("init",), ("status", "--json")):
        outcome = tidemark(*command)
        assert not re.search(r"se(%25|%)cret", outcome.out + outcome.err)


def test_doctor_tells_every_problem_and_changes_nothing(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_SOURCE_SHOP_ADMIN_URL", discovered.url("owner").replace("owner", "ownr"))

    outcome = tidemark("doctor", "--json")

    found = {check["name"]: check for check in json.loads(outcome.out)["checks"]}
    assert 78 == outcome.code
    assert found["specs"]["good"]
    assert found["lake"]["good"]
    assert found["source"]["good"]
    assert not found["as admin"]["good"]
    assert "tidemark init" in found["slot"]["seen"]
    assert discovered.untouched()


@pytest.mark.parametrize(
    ("key", "good", "said"),
    [
        (None, False, "TIDEMARK_HASH_KEY is not set"),
        ("k1:abcd", False, "is not <key id>:<hex of at least 32 bytes>"),
        ("k1:" + "ab" * 32, True, "is set"),
    ],
)
def test_doctor_looks_at_the_key_of_hashes(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch, key: str | None, good: bool, said: str
) -> None:
    spec = Path(discovered.folder / "specs" / "shop" / "public.orders.yaml")
    facts = yaml.safe_load(spec.read_text()) | {"on_schema_change": "freeze"}
    next(column for column in facts["columns"] if column["name"] not in facts["key"])["protect"] = "hash"
    spec.write_text(yaml.safe_dump(facts))
    if key:
        monkeypatch.setenv("TIDEMARK_HASH_KEY", key)

    outcome = tidemark("doctor", "--json")

    [check] = [check for check in json.loads(outcome.out)["checks"] if check["name"] == "hash key"]
    assert (good, True) == (check["good"], said in check["seen"])
    assert "abab" not in outcome.out + outcome.err


def test_the_folder_of_specs_may_not_be_written_over_by_chance(discovered: Place, tidemark: Tidemark) -> None:
    spec = Path(discovered.folder / "specs" / "shop" / "public.orders.yaml")
    spec.write_text(spec.read_text() + "description: mine\n")

    outcome = tidemark("discover", "--name", "shop")

    assert 78 == outcome.code
    assert str(spec) in outcome.err
    assert "description: mine" in spec.read_text()
