"""Reading a source by mark: all its tables as of one instant, without the rows that they keep although deleted.

Two readers see the same rows. Spark opens a table by five jobs of its own, most of what a proof or a mart of small
tables takes; delta-rs, in a tenth of the time, brings all rows through the driver's memory. So the few go that way.
"""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.layout import Layout
from tidemark_contract.names import TableName
from tidemark_jobs.control import Control, PublishedMark, TableVersion
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.silver import DELETED

FEW_ROWS, FEW_BYTES = 50_000, 16 << 20
"""Of a table whose rows go through the driver, at most; bytes as stored, in memory they are many times that."""


def open_source(
    spark: SparkSession, lake: str, source: str, mark: int | None = None
) -> tuple[PublishedMark, dict[TableName, DataFrame]]:
    """Open every silver table of a source that is exact at a published mark (default: the newest).

    Together the tables equal the source as of the one instant that the mark names.
    """
    layout = Layout(lake, source)
    published = find_mark(Control(layout), mark)
    tables = {version.table: read_version(spark, layout, version) for version in published.tables}
    return published, tables


def find_mark(control: Control, mark: int | None) -> PublishedMark:
    """Give a published mark; ConfigurationError when there is no such mark, or none that can be opened."""
    published = control.published(mark)
    if published is None:
        which = "no mark" if mark is None else f"mark {mark} is not"
        raise ConfigurationError(f"{which} published for {control.source}: run `tidemark copy`, then `tidemark sync`")
    if published.mark.id < (first := control.erased_before()):
        raise ConfigurationError(
            f"mark {published.mark.id} cannot be opened any more: keys were erased at mark {first}, "
            "and with them the files of all marks before it"
        )
    return published


def read_version(spark: SparkSession, layout: Layout, version: TableVersion) -> DataFrame:
    """Read one silver table as it is in a published mark."""
    url = layout.silver(version.table)
    if version.rows > FEW_ROWS:
        return read_by_spark(spark, url, version.version)
    return read_table(spark, url, open_table(url, version.version))


def read_table(spark: SparkSession, url: str, table: DeltaTable) -> DataFrame:
    """Read a table that is open, the quicker way."""
    adds = pa.table(table.get_add_actions(flatten=True))
    few = sum(adds["num_records"].to_pylist()) <= FEW_ROWS and sum(adds["size_bytes"].to_pylist()) <= FEW_BYTES
    return read_by_delta_rs(spark, table) if few else read_by_spark(spark, url, table.version())


def read_by_spark(spark: SparkSession, url: str, version: int) -> DataFrame:
    """Read a table at a version as Spark's own reader does."""
    return live(read_all(spark, url, version))


def read_all(spark: SparkSession, url: str, version: int) -> DataFrame:
    """Read a table at a version with the rows that it keeps although deleted."""
    return spark.read.format("delta").option("versionAsOf", version).load(url)


def live(rows: DataFrame) -> DataFrame:
    """Leave out the rows of a silver table that the source has deleted."""
    return rows.where(~F.col(DELETED)) if DELETED in rows.columns else rows


def read_by_delta_rs(spark: SparkSession, table: DeltaTable) -> DataFrame:
    """Read a table that is open as delta-rs does, and hand its rows to Spark."""
    found = pa.table(QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all())
    rows = found.cast(pa.schema(table.schema().to_arrow()))
    # Spark takes no column without chunks, which is what a result without rows has.
    return live(spark.createDataFrame(rows if rows.num_rows else rows.schema.empty_table()))


def read_files(spark: SparkSession, columns: str, urls: Sequence[str]) -> DataFrame:
    """Read Parquet files by their names, which are no patterns: a lake may lie in a folder called `[lake]`."""
    return spark.read.schema(columns).option("__globPaths__", "false").parquet(*urls)
