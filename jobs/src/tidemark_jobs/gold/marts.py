"""What marts there are, and how one is built: read at a mark, transform, replace."""

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import DataFrame

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.layout import Layout
from tidemark_contract.marks import format_lsn
from tidemark_contract.marts import INPUTS, marts_of
from tidemark_contract.names import TableName
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.gold import tpch
from tidemark_jobs.leases import lease
from tidemark_jobs.logs import log
from tidemark_jobs.reader import find_mark, read_version
from tidemark_jobs.run import Run
from tidemark_jobs.storage import folders

TRANSFORMS: dict[str, Callable[[Mapping[str, DataFrame]], DataFrame]] = {
    "pricing_summary": tpch.pricing_summary,
    "shipping_priority": tpch.shipping_priority,
    "local_supplier_volume": tpch.local_supplier_volume,
}


def gold(run: Run) -> dict[str, object]:
    """Build the named marts (default: all whose tables the source has) from one mark."""
    published = find_mark(run.control, run.job.mark)
    names = named(run)
    return {
        "job": "gold",
        "source": run.spec.name,
        "mark": published.mark.id,
        "lsn": format_lsn(published.mark.lsn),
        "taken_at": published.mark.taken_at.isoformat(),
        "marts": build_marts(run, names, published),
    }


def named(run: Run) -> list[str]:
    """Give the marts that a job names, by default all whose tables the source has."""
    return [_known(name) for name in dict.fromkeys(run.job.tables) or _possible(run)]


def lease_of(mart: str) -> str:
    """Name the lease that keeps two who write one mart apart."""
    return f"gold-{mart}"


def marts_from(layout: Layout, tables: Collection[TableName]) -> list[str]:
    """Name the marts that were built and read one of these tables."""
    return [name for name in built(layout) if not set(tables).isdisjoint(INPUTS[name])]


def built(layout: Layout) -> list[str]:
    """Name the marts that are there."""
    there = set(folders(layout.root, f"gold/{layout.source}"))
    return [name for name in INPUTS if name in there]


def build_marts(run: Run, names: Sequence[str], published: PublishedMark) -> dict[str, int]:
    """Build marts from one mark, and give their versions."""
    tables = opened(run, names, published)

    def build(name: str) -> int:
        with lease(run.layout, lease_of(name)):
            version = write_mart(run.layout, name, TRANSFORMS[name](tables.of(name)), published)
        log("mart_built", mart=name, mark=published.mark.id, version=version)
        return version

    # At once: small marts are planned longer than they are computed, and planning keeps one core.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(names, pool.map(build, names), strict=True))


def _possible(run: Run) -> Sequence[str]:
    return marts_of({spec.table.path for spec in run.spec.tables})


def _known(name: str) -> str:
    if name not in INPUTS:
        raise ConfigurationError(f"there is no mart {name!r}; there are {', '.join(INPUTS)}")
    return name


@dataclass(frozen=True)
class Tables:
    """The tables that some marts read, as of one mark."""

    opened: Mapping[TableName, DataFrame]

    def of(self, mart: str) -> dict[str, DataFrame]:
        """Give those of one mart, as its transform takes them."""
        return {table.table: self.opened[table] for table in INPUTS[mart]}


def opened(run: Run, names: Sequence[str], published: PublishedMark) -> Tables:
    """Open what the marts read, and each once: it costs a second of a fresh session."""
    exact = {version.table: version for version in published.tables}
    for name in names:
        if lacking := [str(table) for table in INPUTS[name] if table not in exact]:
            raise ConfigurationError(
                f"mart {name} needs {', '.join(lacking)}, not exact at this mark: `tidemark status` says why"
            )
    wanted = {table for name in names for table in INPUTS[name]}
    return Tables({table: read_version(run.spark, run.layout, exact[table]) for table in wanted})


def write_mart(layout: Layout, name: str, rows: DataFrame, published: PublishedMark) -> int:
    """Replace the mart in one commit that names the mark it was built from; give the Delta version."""
    path = layout.gold(name)
    origin = json.dumps({"mark": published.mark.id, "nonce": published.mark.nonce})
    # A mart without rows that stays so is a commit too: it names another mark.
    rows.sparkSession.conf.set("spark.databricks.delta.skipRecordingEmptyCommits", "false")
    writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", origin).save(path)
    return open_table(path).version()
