"""Runs of the mirror's DAGs on this machine's Airflow, as steps."""

from dataclasses import dataclass
from typing import Any

from tidemark.local.airflow_api import AirflowApi
from tidemark.local.builder import PATIENCE_S, Builder
from tidemark.local.stack import SOURCE
from tidemark_contract.names import HYGIENE_DAG, dag_id


@dataclass(frozen=True)
class Runs:
    """The DAGs of the stack's source."""

    build: Builder
    api: AirflowApi

    def run(self, title: str, kind: str, conf: dict[str, Any] | None = None) -> None:
        """Start a DAG and wait for its end."""
        name = dag_id(kind, SOURCE)
        with self.build.steps.step(title) as step:
            self.api.wait_for_dag(name, step.say, PATIENCE_S)
            self.api.unpause(name)
            self.api.wait(name, self.api.trigger(name, conf), step.say, PATIENCE_S)
            step.outcome = name

    def let_run(self) -> None:
        """Let every DAG of the source, and Airflow's own chores, run by themselves from now on."""
        for name in (*self.api.dags_of(SOURCE), HYGIENE_DAG):
            self.api.unpause(name)

    def wait_for(self, title: str, kind: str, name: str) -> None:
        """Wait until a DAG that starts by itself has succeeded."""
        dag = dag_id(kind, f"{SOURCE}_{name}")
        with self.build.steps.step(title) as step:
            self.api.wait(dag, self.api.newest_run(dag, step.say, PATIENCE_S), step.say, PATIENCE_S)
            step.outcome = dag
