"""What docs/orchestration.md tells people who come from Airflow 2 is so in the Airflow that is installed."""

import importlib.util
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("old", ["airflow.operators.subdag", "airflow.executors.sequential_executor"])
def test_what_is_gone_is_gone(old: str) -> None:
    assert None is importlib.util.find_spec(old)


def test_the_commands_are_those_that_are_named() -> None:
    from airflow.cli.cli_config import GroupCommand
    from airflow.cli.cli_parser import ALL_COMMANDS_DICT

    assert {"api-server", "dag-processor", "scheduler", "triggerer"} <= ALL_COMMANDS_DICT.keys()
    assert "webserver" not in ALL_COMMANDS_DICT
    group = ALL_COMMANDS_DICT["db"]
    assert isinstance(group, GroupCommand)
    subcommands = {command.name for command in group.subcommands}
    assert {"migrate", "clean"} <= subcommands
    assert not {"init", "upgrade"} & subcommands


@pytest.mark.parametrize("old", ["schedule_interval", "timetable"])
def test_a_dag_does_not_know_the_old_words(old: str) -> None:
    from airflow.sdk import DAG

    words: dict[str, Any] = {old: None}
    with pytest.raises(TypeError, match=old):
        DAG("a", start_date=START, **words)  # noqa: AIR002
    assert not DAG("a", start_date=START, schedule="@daily").catchup


def test_an_sla_is_taken_and_does_nothing() -> None:
    from airflow.sdk import BaseOperator

    with pytest.warns(match="SLA feature is removed in Airflow 3"):
        task = BaseOperator(task_id="a", sla=timedelta(minutes=1))
    assert not getattr(task, "sla", None)


def test_a_template_does_not_know_the_old_dates() -> None:
    from airflow.sdk.definitions.context import Context

    known = set(Context.__annotations__)
    assert {"logical_date", "data_interval_start", "data_interval_end"} <= known
    assert not {"execution_date", "next_ds", "prev_ds", "tomorrow_ds"} & known


def test_the_health_of_all_is_under_the_new_address() -> None:
    from airflow.api_fastapi.app import create_app

    paths = set(create_app(apps="core").openapi()["paths"])
    assert "/api/v2/monitor/health" in paths
    assert "/health" not in paths
