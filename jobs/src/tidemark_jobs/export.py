"""`export`: a silver table written back as PostgreSQL COPY text; the way back is part of the contract."""

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.evolution import spec_at
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.keys import copy_line
from tidemark_jobs.fold.values import row_texts
from tidemark_jobs.reader import find_mark, read_version
from tidemark_jobs.run import Run


def export(run: Run) -> None:
    """Write the table at the job's mark (default: the newest) to stdout, a line a row, in the source's columns."""
    name = TableName.parse(run.job.tables[0])
    written = run.spec.table(name)
    published = find_mark(run.control, run.job.mark)
    version = published.version(name)
    if version is None:
        raise ConfigurationError(f"{name} is not in mark {published.mark.id}: `tidemark status` says why")
    spec = spec_at(written, published.mark.catalog.table(name))
    lines = copy_lines(read_version(run.spark, run.layout, version), spec)
    for row in lines.toLocalIterator(prefetchPartitions=True):
        sys.stdout.write(row[0] + "\n")


def copy_lines(rows: DataFrame, spec: TableSpec) -> DataFrame:
    """Turn silver rows into lines of COPY text; a counted row stands there as often as it was counted."""
    texts = row_texts(spec)
    line = copy_line([texts[column.name] for column in spec.columns])
    if spec.key:
        return rows.select(line.alias("line"))
    return rows.select(F.explode(F.array_repeat(line, F.col("_count").cast("int"))).alias("line"))
