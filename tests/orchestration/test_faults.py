"""What may happen to an Airflow while tasks run: each task is done, and none twice."""

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.orchestration.airflow_services import Platform, healthy, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.drawn(1), pytest.mark.timeout(600)]
WELL = ("metadatabase", "scheduler", "dag_processor")


class Runs:
    """Runs of one DAG of dags/faults.py, and the lines that they have left."""

    def __init__(self, platform: Platform, dag: str, folder: Path) -> None:
        self.platform, self._dag, self._lines, self.until = platform, dag, folder / "lines", folder / "until"
        platform.wait_for_dags(dag)
        assert platform.ask("PATCH", f"/api/v2/dags/{dag}", body={"is_paused": False}).ok

    def begin(self, *, wait: bool = True) -> str:
        conf = {"lines": str(self._lines), "until": str(self.until) if wait else ""}
        path = f"/api/v2/dags/{self._dag}/dagRuns"
        answer = self.platform.ask("POST", path, body={"logical_date": None, "conf": conf})
        assert answer.ok, answer.text
        return str(answer.json()["dag_run_id"])

    def state(self, run: str) -> str:
        return str(self.platform.get(f"/api/v2/dags/{self._dag}/dagRuns/{run}")["state"])

    def task(self, run: str, task: str) -> dict[str, Any]:
        return dict(self.platform.get(f"/api/v2/dags/{self._dag}/dagRuns/{run}/taskInstances/{task}"))

    def left(self, what: str) -> Counter[str]:
        """Count, by run, the lines that tell of a beginning or an end."""
        lines = self._lines.read_text().splitlines() if self._lines.exists() else []
        return Counter(line.split()[1] for line in lines if line.startswith(what))

    def wait_for(self, what: str, number: int) -> None:
        wait_for(lambda: self.left(what).total() >= number, self.platform.whole_story)

    def end_well(self, *runs: str) -> None:
        """Let them end; each has done its work, once."""
        self.until.touch()
        wait_for(lambda: {self.state(run) for run in runs} <= {"success", "failed"}, self.platform.whole_story)
        assert dict.fromkeys(runs, "success") == {run: self.state(run) for run in runs}
        assert Counter(runs) == self.left("end")


def kill(platform: Platform, name: str) -> None:
    """Kill -9 a service with all that it has started, as the end of its machine does.

    Of a scheduler alone the tasks would go on, with nobody to tell their end to: they are begun again all the same.
    """
    process = platform.running.pop(name)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    for child in family:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def test_of_two_schedulers_one_is_killed(platform: Platform, tmp_path: Path) -> None:
    """Tasks that it ran are begun again, by the other; those of the other go on."""
    platform.start("scheduler-2")
    runs = Runs(platform, "many", tmp_path)
    begun = [runs.begin() for _ in range(4)]
    runs.wait_for("begin", 4)

    kill(platform, "scheduler")

    runs.end_well(*begun, *[runs.begin(wait=False) for _ in range(4)])
    platform.start("scheduler")
    platform.end("scheduler-2")
    wait_for(lambda: healthy(platform, *WELL), platform.whole_story)


def test_a_second_run_waits_and_one_that_is_cleared_runs_again(platform: Platform, tmp_path: Path) -> None:
    runs = Runs(platform, "one_at_a_time", tmp_path)
    first, second = runs.begin(), runs.begin()
    runs.wait_for("begin", 1)
    time.sleep(3)
    assert ("running", "queued") == (runs.state(first), runs.state(second))
    runs.end_well(first, second)

    cleared = runs.platform.ask(
        "POST",
        "/api/v2/dags/one_at_a_time/clearTaskInstances",
        body={"dag_run_id": first, "dry_run": False, "only_failed": False},
    )
    assert cleared.ok, cleared.text
    runs.wait_for("end", 3)
    assert {first: 2, second: 1} == runs.left("end")


def test_a_triggerer_is_killed_with_tasks_that_wait_in_it(platform: Platform, tmp_path: Path) -> None:
    platform.start("triggerer")
    runs = Runs(platform, "deferred", tmp_path)
    begun = [runs.begin() for _ in range(2)]
    wait_for(lambda: all(runs.task(run, "wait")["state"] == "deferred" for run in begun), platform.whole_story)

    kill(platform, "triggerer")
    platform.start("triggerer")

    runs.end_well(*begun)
    platform.end("triggerer")


def test_a_database_that_is_away_for_a_minute(platform: Platform, tmp_path: Path) -> None:
    """Services that end without it are started again, as whoever runs them does; tasks are done, and none twice."""
    runs = Runs(platform, "many", tmp_path)
    begun = [runs.begin() for _ in range(2)]
    runs.wait_for("begin", 2)

    platform.server("stop")
    time.sleep(60)
    platform.server("start")

    def well_again() -> bool:
        platform.revive()
        return healthy(platform, *WELL)

    wait_for(well_again, platform.whole_story)

    runs.end_well(*begun, runs.begin(wait=False))
