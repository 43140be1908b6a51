"""docs/trigger-rules.md: what Airflow's scheduler decides for each trigger rule, asked of the scheduler itself.

`make docs` renders it, in Airflow's environment: runs of a DAG are laid into a database of their own with two tasks in
every pair of states, and Airflow's scheduling decisions are read for a task of each rule behind them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from tempfile import TemporaryDirectory
from typing import Any

STATES = ("success", "failed", "skipped", "upstream_failed", "running")
PAIRS = tuple(combinations_with_replacement(STATES, 2))
SIGNS = {"runs": "**runs**", "skipped": "skipped", "upstream_failed": "upstream_failed", "waits": "…"}
HEAD = """# Trigger rules: what a task does after what came before it

Rendered from Airflow {version}'s own scheduler by `make docs` (`tests/orchestration/trigger_rules.py`): a task with
each of its {count} rules stands behind two tasks that are in the states of the line. **runs**: it is scheduled;
skipped, upstream_failed: the state it is given without running; …: it waits for what has not ended. Every task of
tidemark's DAGs has `all_success` ([orchestration.md](orchestration.md)).

"""
SETUPS = """
The same, where the two before are setup tasks (`as_setup`) and the rule is that of teardowns:

"""

Outcomes = dict[tuple[str, str], dict[str, str]]


def rules() -> list[str]:
    """Name all rules, in Airflow's order."""
    from airflow.task.trigger_rule import TriggerRule

    return [rule.value for rule in TriggerRule]


def outcomes(*, setups: bool = False, chosen: Sequence[str] = ()) -> Outcomes:
    """Give what becomes of a task of each rule, by the states of the two before it."""
    from airflow.utils.session import create_session

    chosen = chosen or rules()
    with create_session() as session:
        dag = written_down(_dag(f"rules_{'setups' if setups else 'tasks'}", setups=setups, chosen=chosen))
        return {pair: _decided(dag, number, pair, chosen, session) for number, pair in enumerate(PAIRS)}


def _dag(name: str, *, setups: bool, chosen: Sequence[str]) -> Any:
    from airflow.sdk import DAG, BaseOperator

    with DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        before = [BaseOperator(task_id=task) for task in ("a", "b")]
        for task in before if setups else ():
            task.as_setup()
        for rule in chosen:
            before >> BaseOperator(task_id=rule, trigger_rule=rule)
    return dag


def written_down(dag: Any) -> Any:
    """Write a DAG into Airflow's database as the DAG processor does; give it as the scheduler has it."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
    from airflow.utils.session import create_session

    with create_session() as session:
        session.merge(DagBundleModel(name="rules"))
        session.flush()
        SerializedDAG.bulk_write_to_db("rules", None, [dag], session=session)
        SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(dag), bundle_name="rules", session=session)
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def _decided(dag: Any, number: int, pair: tuple[str, str], chosen: Sequence[str], session: Any) -> dict[str, str]:
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    run = dag.create_dagrun(
        run_id=f"run_{number}",
        logical_date=at,
        data_interval=(at, at),
        run_after=at,
        start_date=at,
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        session=session,
    )
    run.dag = dag
    for task, state in zip(("a", "b"), pair, strict=True):
        run.get_task_instance(task, session=session).state = state
    session.flush()
    decision = run.task_instance_scheduling_decisions(session=session)
    ready = {task.task_id for task in decision.schedulable_tis}
    states = {task.task_id: task.state for task in decision.tis}
    return {rule: "runs" if rule in ready else str(states[rule] or "waits") for rule in chosen}


def render() -> str:
    """Give the page."""
    from airflow import __version__

    teardown = ("all_done_setup_success",)
    return "".join(
        [
            HEAD.format(version=__version__, count=len(rules())),
            *_table(outcomes(), rules()),
            SETUPS,
            *_table(outcomes(setups=True, chosen=teardown), teardown),
        ]
    )


def _table(found: Outcomes, chosen: Sequence[str]) -> Iterator[str]:
    yield f"| before | {' | '.join(f'`{rule}`' for rule in chosen)} |\n|{'---|' * (len(chosen) + 1)}\n"
    for pair, told in found.items():
        yield f"| {', '.join(pair)} | {' | '.join(SIGNS[told[rule]] for rule in chosen)} |\n"


@contextmanager
def _database() -> Iterator[None]:
    """Make an Airflow database that goes again; before Airflow is imported."""
    with TemporaryDirectory(prefix="tidemark-rules-") as home:
        os.environ |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",  # it logs to stdout, which is the page
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        }
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
        yield


if __name__ == "__main__":
    with _database():
        print(render(), end="")
