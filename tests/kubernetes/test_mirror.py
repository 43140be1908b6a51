"""A mirror on a real Kubernetes: our charts, our images, pods that are killed, and proofs that it is equal."""

import pytest

from tests.kubernetes.cluster import wait_for
from tests.kubernetes.shop import Shop, summary

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(3600)]

JOBMANAGER = "app.kubernetes.io/instance=shop,app.kubernetes.io/component=jobmanager"
TASKMANAGER = "app.kubernetes.io/instance=shop,app.kubernetes.io/component=taskmanager"
WRITES = """
UPDATE account SET balance = 'NaN', owner = E'tab\\there' WHERE id % 50 = {round};
UPDATE account SET id = id + 100000 WHERE id = {round};
DELETE FROM account WHERE id BETWEEN {round} * 30 + 100 AND {round} * 30 + 110;
INSERT INTO account SELECT {round} * 10000 + g, 'late', 0.1 + g FROM generate_series(1, 300) g;
INSERT INTO entry VALUES ('twin', 1.5), ('€', {round});
"""


def start_proof(shop: Shop) -> str:
    """Begin a proof of all tables at a mark of its own, which syncs up to it; give the Job's name."""
    jobs = [job["metadata"]["name"] for job in shop.cluster.get("jobs")["items"]]
    shop.start_job("verify")
    return f"verify-{1 + sum(name.startswith('verify-') for name in jobs)}"


def assert_equal(shop: Shop, job: str) -> None:
    facts = summary(shop.cluster.finished(job))
    assert facts["equal"]
    assert {"public.account", "public.entry"} == {table["table"] for table in facts["tables"]}


def test_a_job_has_no_libraries_of_its_own(mirror: Shop) -> None:
    """A TaskManager that outlives its JobManager may still know them, by keys that the next JobManager draws anew."""
    mirror.landing()

    assert any("/jobmanager" in key or "completedCheckpoint" in key for key in mirror.objects("lake"))
    assert [] == [key for key in mirror.objects("lake") if "/blob" in key]


def test_a_jobmanager_that_is_lost_comes_back_to_the_same_job(mirror: Shop) -> None:
    before = mirror.landing()
    killed = mirror.cluster.kill(JOBMANAGER)
    mirror.sql(WRITES.format(round=2))

    wait_for(lambda: mirror.cluster.pods(JOBMANAGER), "another JobManager", mirror.cluster.told)
    after = mirror.landing(beyond=before["checkpoint"])

    assert killed != mirror.cluster.pods(JOBMANAGER)[-1]["metadata"]["name"]
    assert (before["job"], before["incarnation"]) == (after["job"], after["incarnation"])


def test_a_taskmanager_that_is_lost_is_replaced(mirror: Shop) -> None:
    before = mirror.landing()
    mirror.cluster.kill(TASKMANAGER)
    mirror.sql(WRITES.format(round=3))

    after = mirror.landing(beyond=before["checkpoint"])

    assert before["incarnation"] == after["incarnation"]


def test_an_executor_that_is_lost_is_replaced_and_what_came_through_all_that_is_equal(mirror: Shop) -> None:
    mirror.sql(WRITES.format(round=4))
    job, executors = start_proof(mirror), "spark-role=executor"
    wait_for(
        lambda: [pod for pod in mirror.cluster.pods(executors) if pod["status"]["phase"] == "Running"],
        "an executor",
        mirror.cluster.told,
    )

    killed = mirror.cluster.kill(executors)

    other = wait_for(lambda: mirror.cluster.pods(executors), "another executor", mirror.cluster.told)
    assert killed not in [pod["metadata"]["name"] for pod in other]
    assert_equal(mirror, job)


def test_an_upgrade_goes_on_from_the_last_state_with_the_new_settings(mirror: Shop) -> None:
    before = mirror.landing()
    mirror.sql(WRITES.format(round=5))

    mirror.helm("flink-pipeline", "shop", {"source": "shop", "checkpointInterval": "3s", "podLabels": {"round": "2"}})
    wait_for(
        lambda: mirror.cluster.pods(f"{JOBMANAGER},round=2") and mirror.cluster.pods(f"{TASKMANAGER},round=2"),
        "the new pods",
        mirror.cluster.told,
    )
    after = mirror.landing(beyond=before["checkpoint"])

    assert before["incarnation"] == after["incarnation"]
    assert 3000 == mirror.rest(f"/jobs/{after['job']}/checkpoints/config")["interval"]
    assert_equal(mirror, start_proof(mirror))
