"""docs/trigger-rules.md says what this Airflow does, and a run of a DAG ends as it says."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.trigger_rules import render, rules, written_down

pytestmark = pytest.mark.filterwarnings("default")  # Airflow's models bring the warnings of their libraries
PAGE = Path(__file__).parents[2] / "docs" / "trigger-rules.md"


@pytest.fixture(scope="module")
def page(database: str) -> str:
    return render()


def test_the_page_is_what_the_scheduler_decides(page: str) -> None:
    assert 13 == len(rules())
    assert PAGE.read_text(encoding="utf-8") == page, "`make docs` renders it anew"


def test_a_run_ends_as_the_page_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a task that fails and one that is skipped, which all rules but three tell from one another."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, BaseOperator
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

    class Ends(BaseOperator):
        def __init__(self, *, by: type[Exception], **facts: Any) -> None:
            super().__init__(**facts)
            self.by = by

        def execute(self, context: object) -> None:
            raise self.by("as it was told")

    with DAG("ends", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        before = [Ends(task_id="a", by=AirflowFailException), Ends(task_id="b", by=AirflowSkipException)]
        for rule in rules():
            before >> EmptyOperator(task_id=rule, trigger_rule=rule)
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path))  # else it would read ours, which need specs
    written_down(dag)
    ran = {task.task_id: str(task.state) for task in dag.test().get_task_instances()}

    [line] = [line for line in page.splitlines() if line.startswith("| failed, skipped")][:1]
    told = [cell.strip().replace("**runs**", "success") for cell in line.strip("|").split("|")][1:]
    assert dict(zip(rules(), told, strict=True)) == {rule: ran[rule] for rule in rules()}
