"""Which marts there are and what they read: what builds them and what schedules them agree here."""

from collections.abc import Set

from tidemark_contract.names import TableName

INPUTS: dict[str, tuple[TableName, ...]] = {
    mart: tuple(TableName("public", table) for table in tables)
    for mart, tables in {
        "pricing_summary": ("lineitem",),
        "shipping_priority": ("customer", "orders", "lineitem"),
        "local_supplier_volume": ("customer", "orders", "lineitem", "supplier", "nation", "region"),
    }.items()
}


def marts_of(paths: Set[str]) -> tuple[str, ...]:
    """Name the marts all of whose tables a source has, by their `TableName.path`."""
    return tuple(mart for mart, inputs in INPUTS.items() if paths >= {table.path for table in inputs})
