"""What marts there are, and how one is built: read at a mark, transform, replace."""

import json
from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.layout import Layout
from tidemark_contract.marks import format_lsn
from tidemark_contract.marts import INPUTS, marts_of
from tidemark_contract.names import TableName
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.gold import tpch
from tidemark_jobs.logs import log
from tidemark_jobs.reader import find_mark, read_version
from tidemark_jobs.run import Run

TRANSFORMS: dict[str, Callable[[Mapping[str, DataFrame]], DataFrame]] = {
    "pricing_summary": tpch.pricing_summary,
    "shipping_priority": tpch.shipping_priority,
    "local_supplier_volume": tpch.local_supplier_volume,
}


def gold(run: Run) -> dict[str, object]:
    """Build the named marts (default: all whose tables the source has) from one mark."""
    published = find_mark(run.control, run.job.mark)
    tables: dict[TableName, DataFrame] = {}
    built = {}
    for name in run.job.tables or marts_of(run.spec):
        rows = TRANSFORMS[_known(name)](_inputs(run, name, published, tables))
        built[name] = write_mart(run.layout, name, rows, published)
        log("mart_built", mart=name, mark=published.mark.id, version=built[name])
    return {
        "job": "gold",
        "source": run.spec.name,
        "mark": published.mark.id,
        "lsn": format_lsn(published.mark.lsn),
        "taken_at": published.mark.taken_at.isoformat(),
        "marts": built,
    }


def _known(name: str) -> str:
    if name not in INPUTS:
        raise ConfigurationError(f"there is no mart {name!r}; there are {', '.join(INPUTS)}")
    return name


def _inputs(run: Run, name: str, published: PublishedMark, opened: dict[TableName, DataFrame]) -> dict[str, DataFrame]:
    """Open what the mart reads and no mart before it has: each table costs a second of a fresh session."""
    exact = {version.table: version.version for version in published.tables if version.exact}
    if lacking := [str(table) for table in INPUTS[name] if table not in exact]:
        raise ConfigurationError(
            f"mart {name} needs {', '.join(lacking)}, not exact at this mark: `tidemark status` says why"
        )
    for table in INPUTS[name]:
        if table not in opened:
            opened[table] = read_version(run.spark, run.layout, table, exact[table])
    return {table.table: opened[table] for table in INPUTS[name]}


def write_mart(layout: Layout, name: str, rows: DataFrame, published: PublishedMark) -> int:
    """Replace the mart in one commit that names the mark it was built from; give the Delta version."""
    path = layout.gold(name)
    origin = json.dumps({"mark": published.mark.id, "nonce": published.mark.nonce})
    # A mart without rows that stays so is a commit too: it names another mark.
    rows.sparkSession.conf.set("spark.databricks.delta.skipRecordingEmptyCommits", "false")
    writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", origin).save(path)
    return open_table(path).version()
