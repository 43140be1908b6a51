"""Parsing the DAG file with a source of a thousand tables, as Airflow's DAG processor does; runs in its environment.

CPU time, which does not depend on what else the machine does. Beside it: what Airflow takes for as many empty DAGs.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.measure import show

FILE = Path(__file__).parents[2] / "orchestration" / "dags" / "tidemark_dags.py"
MARTS = ("lineitem", "customer", "orders", "supplier", "nation", "region")
TABLES, ROUNDS = 1000, 21
GOAL_MS = 5.0
BARE = """
from datetime import datetime
from airflow.sdk import DAG, BaseOperator
for number in range({dags}):
    with DAG(f"dag_{{number}}", start_date=datetime(2026, 1, 1), schedule=None) as dag:
        BaseOperator(task_id="task")
    globals()[dag.dag_id] = dag
"""


def main() -> None:
    """Print the medians; what is parsed is counted each time."""
    with TemporaryDirectory(prefix="tidemark-bench-") as name:
        folder = Path(name)
        os.environ |= {"AIRFLOW_HOME": name, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        for tables in (len(MARTS), TABLES):
            write_specs(folder / str(tables) / "shop", tables)
        dags = _parse(folder, TABLES)[1]  # with Airflow's own imports, which the processor has done before it forks
        bare = folder / "bare.py"
        bare.write_text(BARE.format(dags=dags))
        many, few, empty = _medians(lambda: _parse(folder, TABLES), lambda: _parse(folder, 6), lambda: _timed(bare))
    what = f"parse the {dags} DAGs of a source of {TABLES} tables, ms"
    show(what, f"{many:.1f}", f"<= {GOAL_MS:g}", reached=many <= GOAL_MS)
    print(f"  of {len(MARTS)} tables: {few:.1f} ms; Airflow's own {dags} empty DAGs: {empty:.1f} ms", flush=True)


def write_specs(source: Path, tables: int) -> None:
    """Write a source of many tables, among them those of every mart."""
    source.mkdir(parents=True)
    (source / "source.yaml").write_text("source: shop\nowner: sales-data\n")
    for table in [*MARTS, *(f"t{number:04d}" for number in range(tables - len(MARTS)))]:
        columns = "[{name: id, type: bigint, nullable: false}, {name: note, type: text}]"
        (source / f"public.{table}.yaml").write_text(f"table: public.{table}\nkey: [id]\ncolumns: {columns}\n")


def _medians(*works: Callable[[], tuple[float, int]]) -> list[float]:
    """Take turns: what slows the machine down meets them all."""
    rounds = [[work()[0] for work in works] for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def _parse(folder: Path, tables: int) -> tuple[float, int]:
    os.environ["TIDEMARK_SPECS"] = str(folder / str(tables))
    return _timed(FILE)


def _timed(file: Path) -> tuple[float, int]:
    """Parse a file; give the milliseconds, and the number of its DAGs."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(file), collect_dags=False)
    began = time.process_time()
    found = bag.process_file(str(file), only_if_updated=False)
    took = time.process_time() - began
    if bag.import_errors or not found:
        sys.exit(f"bench: {len(found)} DAGs, {bag.import_errors}")
    return took * 1000, len(found)


if __name__ == "__main__":
    main()
