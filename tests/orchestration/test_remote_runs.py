"""Jobs that a DAG gives to AWS really run: spark-submit with the very words that moto's server was sent, on its S3."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestration import amazon as aws
from tests.orchestration.amazon import Amazon, wait_for
from tests.orchestration.emr_agent import Agent, jars, zip_folder
from tests.orchestration.emr_services import SERVICES, Service
from tests.orchestration.test_dag_runs import Dags, dags, run, run_sync  # noqa: F401
from tests.orchestration.world import REPOSITORY, SPARK_PYTHON, World, made
from tests.variants import drawn
from tidemark_contract.argv import Job
from tidemark_contract.specs import load_source
from tidemark_orchestration.launchers import launcher_for
from tidemark_orchestration.launchers.target import Remote
from tidemark_orchestration.launchers.work import Work
from tidemark_orchestration.triggers import JobTrigger

pytestmark = [pytest.mark.slow, pytest.mark.drawn(1), pytest.mark.filterwarnings("default")]
SOURCE_URL = "TIDEMARK_SOURCE_SHOP_URL"


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with aws.made() as made:
        yield made


@pytest.fixture(scope="module")
def world(amazon: Amazon, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A shop whose lake is on S3, and a worker that knows where, but not the source's password."""
    with made(f"s3://{aws.BUCKET}/team/lake") as world, pytest.MonkeyPatch.context() as environment:
        request.getfixturevalue("database")  # made while the stack comes up
        settings = world.environment
        aws.keep_secret(amazon, {SOURCE_URL: settings[SOURCE_URL]})
        specs = zip_folder(Path(settings["TIDEMARK_SPECS"]), tmp_path_factory.mktemp("code") / "specs.zip")
        for name, value in {
            "TIDEMARK_SPECS": settings["TIDEMARK_SPECS"],
            "TIDEMARK_LAKE": settings["TIDEMARK_LAKE"],
            "TIDEMARK_SPARK_ENTRY": str(REPOSITORY / "jobs" / "submit.py"),
            "TIDEMARK_SPARK_ARCHIVES": f"{specs}#specs",
            "TIDEMARK_SPARK_SPECS": "./specs",
            "TIDEMARK_SPARK_JARS": jars(),
            "TIDEMARK_SPARK_SECRETS": aws.SECRET,
            "TIDEMARK_SPARK_PYTHON": str(SPARK_PYTHON),
            "TIDEMARK_SPARK_CONF": "spark.master=local[2] spark.driver.memory=2g",
        }.items():
            environment.setenv(name, value)
        yield world


@pytest.fixture(params=drawn(SERVICES), ids=lambda service: type(service).__name__)
def service(request: pytest.FixtureRequest, amazon: Amazon, world: World, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("TIDEMARK_LAUNCHER", request.param.name)
    for name, value in request.param.make(amazon).items():
        monkeypatch.setenv(name, value)
    if not request.param.unpacks:  # what a job needs lies on the nodes
        monkeypatch.delenv("TIDEMARK_SPARK_ARCHIVES")
        monkeypatch.setenv("TIDEMARK_SPARK_SPECS", os.environ["TIDEMARK_SPECS"])
    assert isinstance(request.param, Service)
    return request.param


@pytest.fixture
def agent(service: Service, tmp_path: Path) -> Iterator[Agent]:
    with Agent(service, tmp_path / "cluster") as agent:
        yield agent


def test_a_sync_far_away_publishes_an_event_per_table(amazon: Amazon, world: World, dags: Dags, agent: Agent) -> None:  # noqa: F811
    ran = run(dags["sync_shop"])
    tables = load_source(Path(os.environ["TIDEMARK_SPECS"]) / "shop").tables

    assert ("success", {"sync": ("success", 1)}) == (ran.state, ran.tasks), agent.log()[-5000:]
    synced = ran.results["sync"]
    assert (9, 0) == (synced["tables"], synced["out"])
    said = {name: synced[name] for name in ("mark", "lsn", "taken_at")}
    assert {f"tidemark://silver/shop/public.{spec.table.table}": said for spec in tables} == ran.events
    assert [] == amazon.outcomes(os.environ["TIDEMARK_LAKE"])


def test_what_needs_a_person_far_away_fails_at_once(dags: Dags, agent: Agent, amazon: Amazon, world: World) -> None:  # noqa: F811
    url = world.environment[SOURCE_URL]
    amazon.client("secretsmanager").put_secret_value(
        SecretId=aws.SECRET, SecretString=json.dumps({SOURCE_URL: url.replace("@", "-wrong@")})
    )
    try:
        ran, told = run_sync(dags["sync_shop"], retries=3)
    finally:
        amazon.client("secretsmanager").put_secret_value(
            SecretId=aws.SECRET, SecretString=json.dumps({SOURCE_URL: url})
        )

    assert {"sync": ("failed", 1)} == ran.tasks
    assert ["failed: "] == [words[:8] for words in told]
    assert "password authentication failed" in told[0]
    assert "-wrong" not in told[0]


def test_a_task_that_is_ended_ends_its_job_far_away(service: Service, dags: Dags, agent: Agent) -> None:  # noqa: F811
    job = Job("verify", "shop")
    remote = launcher_for(job, lambda: Work("tidemark-verify-0", 1, 1, None), print).run(job)
    assert isinstance(remote, Remote)
    wait_for(lambda: "snapshot_held" in agent.log(), "the job's work")

    asyncio.run(JobTrigger(*remote, deadline=None).on_kill())

    [run_there] = service.runs()
    wait_for(lambda: service.cancelled == run_there.record.state, "its end")
