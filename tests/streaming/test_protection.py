"""What the connector is told of protected columns, and what Flink's processes are not told."""

import json
from pathlib import Path

import pytest

from tidemark_contract.errors import SettingsError
from tidemark_contract.names import TableName
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.specs import ColumnSpec, SourceSpec, TableSpec
from tidemark_streaming.cluster import Cluster
from tidemark_streaming.home import Home
from tidemark_streaming.protection import protect_option

KEY = HashKey("k1", bytes(range(32)))
ORDERS = TableSpec(TableName("public", "orders"), (ColumnSpec("id", "integer"),), ("id",))
PEOPLE = TableSpec(TableName("public", "people"), (), ("id",)).with_columns(
    (
        ColumnSpec("id", "integer"),
        ColumnSpec("note", "text", protect=Protect.DROP),
        ColumnSpec("ssn", "text", protect=Protect.HASH),
    )
)


def test_every_table_that_may_pass_is_named_and_the_columns_of_protected_ones() -> None:
    """The marks among them; without protected columns nothing is said, and every table passes."""
    option = protect_option(SourceSpec("shop", (ORDERS, PEOPLE)), KEY)

    assert option
    assert KEY.secret.hex() not in option
    assert [
        {"schema": "tidemark", "table": "mark"},
        {"schema": "public", "table": "orders"},
        {
            "schema": "public",
            "table": "people",
            "label": PEOPLE.protection(KEY),
            "columns": {"id": "plain", "note": "drop", "ssn": "hash"},
        },
    ] == json.loads(option)
    assert protect_option(SourceSpec("shop", (ORDERS,)), KEY) is None
    with pytest.raises(SettingsError, match="TIDEMARK_HASH_KEY is not set"):
        protect_option(SourceSpec("shop", (PEOPLE,)), None)


def test_flinks_processes_get_no_secret_of_the_environment(tmp_path: Path) -> None:
    given = {
        "TIDEMARK_HASH_KEY": KEY.text,
        "TIDEMARK_SOURCE_SHOP_URL": "postgresql://role:password@host/shop",
        "A": "b",
    }
    environment = Cluster(tmp_path, Home.find(), given).process_environment()

    assert "b" == environment["A"]
    assert not {"TIDEMARK_HASH_KEY", "TIDEMARK_SOURCE_SHOP_URL"} & environment.keys()
