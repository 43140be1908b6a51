"""Reading a source by mark: all its tables as of one instant."""

from pyspark.sql import DataFrame, SparkSession

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.layout import Layout
from tidemark_contract.names import TableName
from tidemark_jobs.control import Control, PublishedMark


def open_source(
    spark: SparkSession, lake: str, source: str, mark: int | None = None
) -> tuple[PublishedMark, dict[TableName, DataFrame]]:
    """Open every silver table of a source that is exact at a published mark (default: the newest).

    Together the tables equal the source as of the one instant that the mark names.
    """
    layout = Layout(lake, source)
    published = find_mark(Control(layout), mark)
    tables = {
        version.table: read_version(spark, layout, version.table, version.version)
        for version in published.tables
        if version.exact
    }
    return published, tables


def find_mark(control: Control, mark: int | None) -> PublishedMark:
    """Give a published mark; ConfigurationError when there is no such mark."""
    published = control.published(mark)
    if published is None:
        which = "no mark" if mark is None else f"mark {mark} is not"
        raise ConfigurationError(f"{which} published for {control.source}: run `tidemark copy`, then `tidemark sync`")
    return published


def read_version(spark: SparkSession, layout: Layout, table: TableName, version: int) -> DataFrame:
    """Read one silver table at one Delta version."""
    return spark.read.format("delta").option("versionAsOf", version).load(layout.silver(table))
