"""The Spark session: Delta, exact time zones, and settings for many small merges as well as for large ones."""

import os
from pathlib import Path

from pyspark.sql import SparkSession

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.outcome import ADDRESS
from tidemark_contract.s3 import SCHEME, S3Access

_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension,io.tidemark.spark.TidemarkExtensions",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Delta's own stores lose commits between two drivers: on S3 (100 of 180 measured) and, by rename, on local disks.
    "spark.delta.logStore.file.impl": "io.tidemark.spark.delta.ExclusiveCreateLogStore",
    "spark.delta.logStore.s3.impl": "io.tidemark.spark.delta.ConditionalPutLogStore",
    "spark.delta.logStore.s3a.impl": "io.tidemark.spark.delta.ConditionalPutLogStore",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.vacuum.parallelDelete.enabled": "true",
}
_EXACT = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Repeated keys are merged on purpose when unchanged columns are filled in: the later value wins.
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
}
_LEAN = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    # VACUUM lists folders with this many tasks; the default of 10,000 costs 30 CPU-s on a tiny table.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
# The optimizing compiler takes more from two cores than its code gives back in minutes: a first sync of few changes
# cost 5 CPU-s without and 10 with it, the third still 3 and 4.5. To load Spark's classes from an archive takes 6
# CPU-s up to the first result, from the jars 12. On a cluster its own settings count.
_QUICK = "-XX:TieredStopAtLevel=1"
# What goes through millions of rows takes half the time when it is optimized, and only that is: ten times as much of
# the same as usual has to be seen first. It costs a third more CPU time at the start; with the usual numbers, two.
_OPTIMIZED = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000"
    " -XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)


def build_session(app: str, lake: str, *, large: bool = False) -> SparkSession:
    """Start (or join) the Spark session of this process; `large`: for millions of rows.

    Under `spark-submit` the cluster's own settings win; run plainly, it is a local session on all cores with the
    jars that `make setup` has fetched.
    """
    settings = {**_LEAN, **_DELTA, **_EXACT, **(_s3() if lake.startswith(SCHEME) else {})}
    builder = SparkSession.builder.appName(app)
    if not _is_submitted():
        builder = builder.master("local[*]")
        settings |= _local(lake, _OPTIMIZED if large else _QUICK)
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _is_submitted() -> bool:
    """Tell whether a cluster's settings are there to count. YARN starts a driver without Spark's shell script."""
    return "SPARK_ENV_LOADED" in os.environ or ADDRESS in os.environ


def session_beside(spark: SparkSession, *, few: bool) -> SparkSession:
    """Give a session with settings of its own on the same engine.

    For few rows it is spared what only pays for many: partitions and generated code. A third of the CPU time, measured.
    """
    session = spark.newSession()
    if few:
        session.conf.set("spark.sql.shuffle.partitions", "1")
        session.conf.set("spark.sql.codegen.wholeStage", "false")
        session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    return session


def _local(lake: str, compiler: str) -> dict[str, str]:
    check_jars(lake)
    jars = [str(jar) for folder in _jar_folders(lake) for jar in sorted(folder.glob("*.jar"))]
    cores = os.cpu_count() or 1
    return {
        "spark.driver.extraClassPath": os.pathsep.join(jars),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": os.environ.get("TIDEMARK_SPARK_MEMORY", "3g"),
        "spark.driver.extraJavaOptions": f"-XX:+UseSerialGC {compiler}{_archived(lake)}",
        "spark.sql.shuffle.partitions": str(cores),
        "spark.sql.warehouse.dir": (home() / "spark-warehouse").as_uri(),
        "spark.sql.catalogImplementation": "in-memory",
    }


def _jar_folders(lake: str) -> list[Path]:
    return [home() / "jars" / "spark", *([_s3_jars()] if lake.startswith(SCHEME) else [])]


def class_archive(lake: str) -> Path:
    """Give the file from which a local JVM takes Spark's classes ready-made; `make setup` writes it."""
    return _jar_folders(lake)[-1] / "classes.jsa"


def _archived(lake: str) -> str:
    """An archive of other jars or of another Java is not used, and that is no reason for a word on standard output."""
    archive = class_archive(lake)
    quiet = "-Xlog:cds=off -Xlog:cds+dynamic=off"
    return f' -XX:SharedArchiveFile="{archive}" {quiet}' if archive.exists() else ""


def _s3() -> dict[str, str]:
    access = S3Access.read()
    settings = {f"spark.hadoop.{name}": value for name, value in access.hadoop().items()}
    return {"spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem", **settings}


def check_jars(lake: str) -> None:
    """Raise before anything is begun when a lake on S3 lacks the jars for it; a cluster brings its own."""
    if lake.startswith(SCHEME) and not _is_submitted() and not list(_s3_jars().glob("*.jar")):
        raise ConfigurationError(f"{_s3_jars()} has no jars, which Spark needs for a lake on S3: run `make setup-s3`")


def _s3_jars() -> Path:
    return home() / "jars" / "spark-s3"


def home() -> Path:
    """Find the folder with the local jars: TIDEMARK_HOME, else the `.tidemark` that this Python's venv lies in."""
    if explicit := os.environ.get("TIDEMARK_HOME"):
        return Path(explicit)
    for parent in Path(os.__file__).resolve().parents:
        if parent.name == ".tidemark":
            return parent
    import sys

    for parent in Path(sys.prefix).parents:
        if parent.name == ".tidemark":
            return parent
    raise ConfigurationError("TIDEMARK_HOME is not set and this Python is not in a .tidemark folder: run `make setup`")
