"""The other reader of the lake, beside Spark."""

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from pyspark.sql import DataFrame, SparkSession

from tidemark_contract.layout import Layout
from tidemark_contract.names import TableName


def read_by_delta_rs(spark: SparkSession, layout: Layout, table: TableName, version: int) -> DataFrame:
    """Give one silver table at one version, as the rows that are handed to Spark."""
    opened = DeltaTable(layout.silver(table), version=version)
    found = pa.table(QueryBuilder().register("t", opened).execute("SELECT * FROM t").read_all())
    rows = found.cast(pa.schema(opened.schema().to_arrow()))
    # Spark takes no column without chunks, which is what a result without rows has.
    return spark.createDataFrame(rows if rows.num_rows else rows.schema.empty_table())
