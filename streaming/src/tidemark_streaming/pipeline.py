"""The pipeline: PostgreSQL changes → Parquet files in the landing folder of one incarnation.

`python -m tidemark_streaming.pipeline OPTIONS.json` submits it and prints the job's id as JSON; under `flink run -py`,
or in application mode, the same file takes the same argument and runs where Flink says.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pyflink.common import Configuration, WatermarkStrategy  # type: ignore[import-untyped]
from pyflink.datastream import StreamExecutionEnvironment  # type: ignore[import-untyped]
from pyflink.java_gateway import get_gateway  # type: ignore[import-untyped]
from pyflink.table import StreamTableEnvironment, Table  # type: ignore[import-untyped]

from tidemark_contract.names import slot_name
from tidemark_streaming.options import SOURCE_NAME, PipelineOptions
from tidemark_streaming.postgres import COLUMNS, PgOutputSource

_SINK = {
    "connector": "filesystem",
    "format": "parquet",
    "parquet.compression": "ZSTD",
    # Row groups of this size let a reader skip what it has seen already.
    "parquet.block.size": str(16 << 20),
    # Names repeat, values do not: their dictionary is given up early. A fifth of the task's CPU time (13 columns).
    "parquet.dictionary.page.size": str(64 << 10),
    # Every checkpoint closes the file; these only make sure that little else does.
    "sink.rolling-policy.file-size": "1GB",
    "sink.rolling-policy.rollover-interval": "1 d",
    "sink.parallelism": "1",
}


def build(options: PipelineOptions) -> StreamExecutionEnvironment:
    """Put the pipeline together: source → landing files, parallelism 1, every operator with a fixed uid."""
    environment = environment_of(options)
    tables = StreamTableEnvironment.create(environment)
    statements = tables.create_statement_set()
    create_landing(tables, options.landing)
    statements.add_insert("landing", _changes(environment, tables, options))
    # As a part of the DataStream program, so that one submission, with its settings, holds both.
    statements.attach_as_datastream()
    return environment


def environment_of(options: PipelineOptions) -> StreamExecutionEnvironment:
    """Give the environment with the settings of the options, in the cluster that they name."""
    configuration = Configuration()
    for name, value in options.configuration().items():
        configuration.set_string(name, value)
    if not options.jobmanager:
        return StreamExecutionEnvironment.get_execution_environment(configuration)
    # Outside of `flink run`, get_execution_environment would start a cluster of its own in the gateway.
    java = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    return StreamExecutionEnvironment(java(configuration._j_configuration))


def _changes(
    environment: StreamExecutionEnvironment, tables: StreamTableEnvironment, options: PipelineOptions
) -> Table:
    slot = slot_name(options.source)
    source = PgOutputSource.builder().options(options.connector).slot(slot).publications(slot).build()
    stream = environment.from_source(source, WatermarkStrategy.no_watermarks(), SOURCE_NAME)
    return tables.from_data_stream(stream.uid(SOURCE_NAME).set_parallelism(1))


def create_landing(tables: StreamTableEnvironment, folder: str) -> None:
    """Declare the table `landing`, whose rows become files in a folder."""
    columns = ", ".join(f"`{name}` {type_}" for name, type_ in COLUMNS.items())
    settings = ", ".join(f"'{name}' = {_literal(value)}" for name, value in (_SINK | {"path": folder}).items())
    tables.execute_sql(f"CREATE TEMPORARY TABLE landing ({columns}) WITH ({settings})")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def main(arguments: Sequence[str]) -> None:
    """Submit the pipeline that a file describes, without waiting for its end."""
    options = PipelineOptions.read(Path(arguments[0]))
    job = build(options).execute_async(f"tidemark {options.source}")
    print(json.dumps({"job": str(job.get_job_id())}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
