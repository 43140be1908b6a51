"""The lake, as the console itself writes it: whether it can, asked before anything is begun; and a guard's outcome."""

from tidemark.local.home import home
from tidemark_contract.errors import ConfigurationError

# The store's own code, which the jobs use too: it knows no Spark.
from tidemark_jobs.outcomes import deliver
from tidemark_jobs.storage import check_lake

__all__ = ["check_lake", "check_s3", "deliver"]

_JARS = ("jars/spark-s3", "plugins/flink/s3-fs-hadoop")


def check_s3(lake: str) -> None:
    """Raise when the engines lack the jars for S3, or the lake cannot be written."""
    if lacking := [str(home() / folder) for folder in _JARS if not list((home() / folder).glob("*.jar"))]:
        raise ConfigurationError(f"no jars in {' and '.join(lacking)}; a lake on S3 needs them: run `make setup-s3`")
    check_lake(lake)
