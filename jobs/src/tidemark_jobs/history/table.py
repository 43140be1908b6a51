"""The table of a history: its columns, the one place where it stands, and its rows as silver would have them.

Its columns are all that its versions ever had. A column that went stays; one that came is there with the first version
that is written after it, and NULL in older ones. Where a name has had several types in silver, each after the first has
a column of its own, `name~v2`: so no value is ever turned into another.
"""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver
from tidemark_jobs.fold.values import EXACT_TYPE
from tidemark_jobs.upsert.data_files import DataFile
from tidemark_jobs.upsert.place import Place, open_place

OPEN = "_open"
"""The table is partitioned by it: whether the version is its row's newest, and the row is there still."""
_OURS = [
    ("_key", "string"),
    (OPEN, "boolean"),
    ("_from_mark", "bigint"),  # the first published mark that sees it
    ("_from_lsn", "bigint"),  # of the commit that made it; NULL where it was found by comparing with silver
    ("_from_time", "timestamp"),  # of that commit; of the mark, where it was found
    ("_to_mark", "bigint"),  # the first published mark that does not see it any more; NULL while it is open
    ("_to_lsn", "bigint"),
    ("_to_time", "timestamp"),
    ("_exact", EXACT_TYPE),
]
_LOOKED_AT = (4, 50)
"""So many of the newest commits are looked through for the last step: what is between are compactions."""


def open_history(url: str) -> Place:
    """Look at the table; made, without rows or columns of the source's, if it does not exist."""
    try:
        return open_place(url, [OPEN])
    except TableNotFoundError:
        silver.write_entry(url, 0, "CREATE TABLE", silver.creation(silver.struct(_OURS), [OPEN]))
        return open_place(url, [OPEN])


def is_open(file: DataFile) -> bool:
    """Tell whether a file of the table holds open versions."""
    return bool(file.add["partitionValues"][OPEN] == "true")


def stands_at(table: DeltaTable) -> tuple[int, str | None] | None:
    """Give the mark that the table stands at, with its nonce while its log tells that.

    None where there was no step yet, or where somebody else has changed rows since the last one.
    """
    for commits in _LOOKED_AT:
        if steps := silver.standing_of(table, max(0, table.version() - commits)).steps:
            return None if steps[-1] == silver.FOREIGN else (steps[-1].mark, steps[-1].nonce)
    mark = table.transaction_version(silver.APPLICATION)
    return None if mark is None else (mark, None)


def columns_of(table: DeltaTable) -> StructType:
    """Give the table's columns."""
    return StructType.fromJson(json.loads(table.schema().to_json()))


def row_schema(table: DeltaTable) -> pa.Schema:
    """Give the columns that its files have, as Arrow does."""
    return pa.schema([field for field in pa.schema(table.schema().to_arrow()) if field.name != OPEN])


def widened(columns: StructType, spec: TableSpec) -> tuple[StructType, dict[str, str]]:
    """Give the columns with those that rows of the spec need besides, and silver's name of each → its name here."""
    fields = list(columns.fields)
    known = {field.name.lower(): field for field in fields}  # Delta ignores case
    names = {}
    for wanted in silver.schema(spec):
        if wanted.name in spec.silver_names.values():
            field = _place_for(wanted, known)
            names[wanted.name] = field.name
            if field.name.lower() not in known:
                known[field.name.lower()] = field
                fields.append(field)
    return StructType(fields), names


def _place_for(wanted: StructField, known: Mapping[str, StructField]) -> StructField:
    """No column of silver is called so otherwise: `~` in a name of the source's is written as `~7e`."""
    number, name = 1, wanted.name
    while (there := known.get(name.lower())) and there.dataType != wanted.dataType:
        number += 1
        name = f"{wanted.name}~v{number}"
    return there or StructField(name, wanted.dataType)


def completed(rows: DataFrame, columns: StructType) -> DataFrame:
    """Give rows of a history all of these columns, NULL where the table has none of the name yet."""
    lacking = {f.name: F.lit(None).cast(f.dataType) for f in columns if f.name not in (*rows.columns, OPEN)}
    return rows.withColumns(lacking)


def as_silver(versions: DataFrame, names: Mapping[str, str], others: Sequence[str] = ()) -> DataFrame:
    """Give versions as rows of silver, and other columns of theirs."""
    columns = [F.col(f"`{here}`").alias(name) for name, here in names.items()]
    return versions.select("_key", *columns, "_exact", *others)


def from_silver(rows: DataFrame, names: Mapping[str, str]) -> DataFrame:
    """Call the columns of silver as they are called here."""
    return rows.withColumnsRenamed(dict(names))
