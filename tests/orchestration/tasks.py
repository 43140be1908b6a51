"""The tasks of our DAGs as what they are: Airflow's types know operators only."""

from airflow.sdk import DAG

from tidemark_orchestration.operators import JobOperator


def job_of(dag: DAG, task: str) -> JobOperator:
    """Give a DAG's task, which runs a job."""
    found = dag.get_task(task)
    assert isinstance(found, JobOperator)
    return found


def jobs_of(dag: DAG) -> list[JobOperator]:
    """Give a DAG's tasks, which all run jobs."""
    return [job_of(dag, task.task_id) for task in dag.tasks]
