"""How the connector is told which columns it has to protect."""

import json
from typing import Any

from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName
from tidemark_contract.protection import HashKey
from tidemark_contract.specs import SourceSpec, TableSpec

_MARK = TableName(MARK_SCHEMA, MARK_TABLE)


def protect_option(spec: SourceSpec, key: HashKey | None) -> str | None:
    """Give the connector's option `protect`, which holds no secret; None where no column is protected.

    It names every table that may pass: of one that it does not name nothing is stored.
    """
    if spec.plain is None:
        return None
    return json.dumps([_facts(_MARK), *(_table(table, key) for table in spec.tables)])


def _table(spec: TableSpec, key: HashKey | None) -> dict[str, Any]:
    if not spec.protected:
        return _facts(spec.table)
    columns = {column.name: str(column.protect or "plain") for column in spec.all_columns}
    return _facts(spec.table) | {"label": spec.protection(key), "columns": columns}


def _facts(table: TableName) -> dict[str, Any]:
    return {"schema": table.schema, "table": table.table}
