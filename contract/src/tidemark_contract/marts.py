"""Which marts there are and what they read: what builds them and what schedules them agree here."""

from tidemark_contract.names import TableName
from tidemark_contract.specs import SourceSpec

INPUTS: dict[str, tuple[TableName, ...]] = {
    mart: tuple(TableName("public", table) for table in tables)
    for mart, tables in {
        "pricing_summary": ("lineitem",),
        "shipping_priority": ("customer", "orders", "lineitem"),
        "local_supplier_volume": ("customer", "orders", "lineitem", "supplier", "nation", "region"),
    }.items()
}


def marts_of(source: SourceSpec) -> tuple[str, ...]:
    """Name the marts all of whose tables the source has."""
    tables = {spec.table for spec in source.tables}
    return tuple(mart for mart, inputs in INPUTS.items() if tables.issuperset(inputs))
