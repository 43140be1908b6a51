"""Values that only the table's own row has: fetched from it, as text."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.values import row_texts, with_map

NOT_FOUND = (
    "tidemark: an unchanged column's row is not in the table: it does not stand at the mark it says; run tidemark copy"
)


def fetched(rows: DataFrame, table: DataFrame, spec: TableSpec, sought: Sequence[str]) -> DataFrame:
    """Complete folded rows by what is unknown of them (among `sought`) from the table's rows at their root keys.

    All but `unknown` and `root` stays as it is. A row whose root is not in the table ends the query with NOT_FOUND.
    """
    texts = {name: text for name, text in row_texts(spec).items() if name in sought}
    old = with_map(table, "_texts", texts).select(F.col("_key").alias("_root_key"), "_texts")
    incomplete = F.size("unknown") > 0
    found = rows.join(old, (F.col("_root_key") == F.col("root")) & incomplete, how="left")
    known = F.map_filter("_texts", lambda name, _: F.array_contains("unknown", name))
    there = F.when(F.col("_root_key").isNotNull(), F.map_concat("row", known)).otherwise(
        F.raise_error(F.lit(NOT_FOUND))
    )
    names = [name for name in rows.columns if name not in ("row", "unknown", "root")]
    return found.select(*names, F.when(incomplete, there).otherwise(F.col("row")).alias("row"))
