"""What marts there are, and how one is built: read at a mark, transform, replace."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deltalake import DeltaTable as DeltaLog
from pyspark.sql import DataFrame

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.layout import Layout
from tidemark_contract.names import TableName
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.gold import tpch
from tidemark_jobs.logs import log
from tidemark_jobs.reader import open_source
from tidemark_jobs.run import Run

Transform = Callable[[Mapping[str, DataFrame]], DataFrame]


@dataclass(frozen=True)
class Mart:
    """One mart: the tables of schema `public` that it reads, and the pure function that makes it of them."""

    inputs: tuple[str, ...]
    transform: Transform


MARTS = {
    "pricing_summary": Mart(("lineitem",), tpch.pricing_summary),
    "shipping_priority": Mart(("customer", "orders", "lineitem"), tpch.shipping_priority),
    "local_supplier_volume": Mart(
        ("customer", "orders", "lineitem", "supplier", "nation", "region"), tpch.local_supplier_volume
    ),
}


def gold(run: Run) -> dict[str, object]:
    """Build the named marts (default: all whose tables the source has) from one mark."""
    published, tables = open_source(run.spark, run.layout.root, run.spec.name, run.job.mark)
    by_name = {name.table: frame for name, frame in tables.items() if name.schema == "public"}
    built = {}
    for name in run.job.tables or tuple(n for n, mart in MARTS.items() if set(mart.inputs) <= by_name.keys()):
        rows = _mart(name, by_name)
        built[name] = write_mart(run.layout, name, rows, published)
        log("mart_built", mart=name, mark=published.mark.id, version=built[name])
    return {"job": "gold", "source": run.spec.name, "mark": published.mark.id, "marts": built}


def _mart(name: str, tables: Mapping[str, DataFrame]) -> DataFrame:
    mart = MARTS.get(name)
    if mart is None:
        raise ConfigurationError(f"there is no mart {name!r}; there are {', '.join(MARTS)}")
    if lacking := [str(TableName("public", table)) for table in mart.inputs if table not in tables]:
        raise ConfigurationError(f"mart {name} needs {', '.join(lacking)}, which the mark does not have")
    return mart.transform(tables)


def write_mart(layout: Layout, name: str, rows: DataFrame, published: PublishedMark) -> int:
    """Replace the mart in one commit that names the mark it was built from; give the Delta version."""
    path = layout.gold(name)
    origin = json.dumps({"mark": published.mark.id, "nonce": published.mark.nonce})
    writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", origin).save(path)
    return DeltaLog(path).version()
