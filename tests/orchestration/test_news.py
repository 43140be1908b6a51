"""What a guard tells, run by run: runs of Airflow's with nothing left in the worker, and a real HTTP server."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tidemark_contract.errors import SettingsError
from tidemark_orchestration import news
from tidemark_orchestration.news import Told, again_after_s, is_news

# Airflow's own API server runs in our process, with the warnings of the libraries that it brings.
pytestmark = pytest.mark.filterwarnings("default")
WAL, MARK = "TIDEMARK_LIMIT_WAL_MB", "TIDEMARK_LIMIT_MARK_S"
HOUR = 3600.0
Guard = Callable[..., str]


@pytest.mark.parametrize(
    ("before", "wrong", "hours", "expected"),
    [
        (None, [], 0, False),
        (None, [WAL], 0, True),
        ([WAL], [WAL], 5, False),
        ([WAL], [WAL], 6, True),
        ([WAL, MARK], [MARK, WAL], 1, False),
        ([WAL], [MARK], 1, True),
        ([WAL], [WAL, MARK], 1, True),
        ([WAL], [], 1, True),
        ([], [], 99, False),
        ([], [WAL], 1, True),
    ],
)
def test_what_is_news(before: list[str] | None, wrong: list[str], hours: float, expected: bool) -> None:
    told = None if before is None else Told(before, at=0.0)
    assert expected == is_news(wrong, told, 6 * HOUR, hours * HOUR)


def test_hours_that_are_none_are_named() -> None:
    assert (6 * HOUR, 2 * HOUR) == (again_after_s({}), again_after_s({news.AGAIN: "2"}))
    with pytest.raises(SettingsError, match="TIDEMARK_TELL_AGAIN_HOURS is 'never': write a whole number of hours"):
        again_after_s({news.AGAIN: "never"})


@pytest.fixture
def guard(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guard:
    """Run the DAG of a guard that finds what is said; give the state of the run. Hours go by when they are told."""
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "specs" / "shop").mkdir(parents=True)
    (tmp_path / "specs" / "shop" / "source.yaml").write_text("source: shop\n")
    program = tmp_path / "python"
    monkeypatch.setenv("TIDEMARK_SPECS", str(tmp_path / "specs"))
    monkeypatch.setenv("TIDEMARK_JOBS_PYTHON", str(program))
    clock = [news._now()]
    monkeypatch.setattr(news, "_now", lambda: clock[0])

    def run(
        code: int = 0, reason: str = "", *, did: str = "nothing", beyond: tuple[str, ...] = (), hours: float = 0
    ) -> str:
        clock[0] += hours * HOUR + 1
        said = json.dumps({"event": "failed", "message": reason} if code else {"event": "looked"})
        summary = json.dumps({"did": did, "beyond": beyond})
        body = f"print({summary!r}); print({said!r}, file=sys.stderr); sys.exit({code})"
        program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        program.chmod(0o755)
        dag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags["guard_shop"]
        dag.deadline = None  # dag.test() of Airflow 3.3.2 takes it for its id in the database
        return str(dag.test().state)

    return run


def taken(webhook: list[dict[str, Any]]) -> list[str]:
    """Give what was told since the last look."""
    told = [each["text"] for each in webhook]
    webhook.clear()
    return told


@pytest.mark.slow
def test_what_a_guard_finds_is_told_when_it_changes_and_again_after_hours(
    guard: Guard, webhook: list[dict[str, Any]]
) -> None:
    assert ("failed", 1) == (guard(1, "it holds 11 GB", beyond=(WAL,)), len(told := taken(webhook)))
    assert "guard of shop: it holds 11 GB" in told[0]
    assert ("failed", []) == (guard(1, "it holds 12 GB", beyond=(WAL,), hours=5), taken(webhook))
    assert ("failed", 1) == (guard(1, "it holds 13 GB", beyond=(WAL,), hours=1), len(taken(webhook)))

    assert ("failed", 1) == (guard(1, "and the mark is old", beyond=(MARK, WAL)), len(taken(webhook)))
    assert ("success", []) == (guard(did="restarted"), taken(webhook))
    assert "success" == guard()
    assert ["guard_shop: all is well again\n\nWhat was told before is over."] == taken(webhook)
    assert ("success", []) == (guard(hours=24), taken(webhook))

    assert ("failed", 1) == (guard(78, "the slot was lost"), len(taken(webhook)))
    assert ("failed", []) == (guard(78, "the slot was lost"), taken(webhook))


@pytest.mark.slow
def test_what_could_not_be_told_is_told_at_the_next_run(
    guard: Guard, webhook: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setenv("AIRFLOW_CONN_TEAMS", json.dumps({"conn_type": "http", "host": "http://127.0.0.1:1"}))
        assert ("failed", []) == (guard(1, "it holds 11 GB", beyond=(WAL,)), taken(webhook))

    assert ("failed", 1) == (guard(1, "it holds 11 GB", beyond=(WAL,)), len(taken(webhook)))
