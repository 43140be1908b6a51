"""Changes whose columns have other names by now, or lack some: as they would be had they been made today."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from tidemark_contract.evolution import Evolution


def evolved(changes: DataFrame, evolution: Evolution, *, whole_rows: bool) -> DataFrame:
    """Give changes of bronze with the columns that their table has now.

    A row that is older than a column has what the catalog says of such rows. `whole_rows` says that old rows come
    whole, a bag's, and not as keys.
    """
    if not evolution:
        return changes
    kept = F.transform(
        F.filter("unchanged", lambda name: ~name.isin(*evolution.dropped)), lambda name: _renamed(name, evolution)
    )
    before, after = (_kept(F.col(side), evolution) for side in ("before", "after"))
    return changes.withColumns(
        {
            "unchanged": kept,
            "before": F.when(F.col("before").isNotNull(), _filled(before, evolution) if whole_rows else before),
            "after": F.when(F.col("after").isNotNull(), _filled(after, evolution)),
        }
    )


def _kept(row: Column, evolution: Evolution) -> Column:
    still = F.map_filter(row, lambda name, _: ~name.isin(*evolution.dropped))
    return F.transform_keys(still, lambda name, _: _renamed(name, evolution))


def _renamed(name: Column, evolution: Evolution) -> Column:
    called = name
    for old, new in evolution.renamed.items():
        called = F.when(name == old, F.lit(new)).otherwise(called)
    return called


def _filled(row: Column, evolution: Evolution) -> Column:
    """What a change leaves out because it did not change is not lacking."""
    if not evolution.added:
        return row
    entries = [part for name, value in evolution.added.items() for part in (F.lit(name), F.lit(value).cast("string"))]
    known = F.coalesce("unchanged", F.array().cast("array<string>"))
    lacking = F.map_filter(F.create_map(*entries), lambda name, _: ~F.array_contains(known, name))
    return F.map_concat(lacking, row)
