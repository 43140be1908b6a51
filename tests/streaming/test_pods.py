"""What a pod of the stream does before it is Flink; the rest is shown on a real cluster (tests/kubernetes)."""

import argparse
import json
from pathlib import Path

import pytest

from tidemark_streaming import passwords, pods
from tidemark_streaming.deployment import Deployment
from tidemark_streaming.flink_settings import JOBMANAGER, TASKMANAGER
from tidemark_streaming.home import Home

DEPLOYED = Deployment("shop", 2, "s3://state/flink", "10s")
WORDS = ["--cluster", "shop", *DEPLOYED.words()]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    specs = tmp_path / "specs" / "shop"
    specs.mkdir(parents=True)
    (specs / "source.yaml").write_text("source: shop")
    (specs / "public.numbers.yaml").write_text(
        "table: public.numbers\nkey: [n]\ncolumns: [{name: n, type: integer, nullable: false}]"
    )
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "TIDEMARK_SOURCE_SHOP_URL").write_text("postgresql://capture:pass%20word@db/shop\n")
    return {
        "TIDEMARK_SPECS": str(specs.parent),
        "TIDEMARK_LAKE": "s3://lake",
        "TIDEMARK_STATE": str(tmp_path / "work"),
        "TIDEMARK_SECRETS": mounted.as_uri(),
    }


@pytest.mark.parametrize("role", [JOBMANAGER, TASKMANAGER])
def test_it_is_refused_outside_of_a_pod(
    role: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 78 == pods.main([role, *WORDS], environment)
    assert "this is no pod with a service account" in json.loads(capsys.readouterr().err)["message"]


def test_the_password_is_in_a_file_that_only_its_user_reads(environment: dict[str, str]) -> None:
    pods.main([TASKMANAGER, *WORDS], environment)

    file = Path(environment["TIDEMARK_STATE"]) / "secrets" / "password"
    assert "pass word" == file.read_text()
    assert 0o600 == file.stat().st_mode & 0o777


def test_a_pod_of_the_operator_has_it_in_the_same_place(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert 0 == passwords.main("shop")
    assert "pass word" == (Path(environment["TIDEMARK_STATE"]) / "secrets" / "password").read_text()
    assert 78 == passwords.main("other")


def test_a_secret_that_is_not_mounted_is_missed_by_name(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    gone = {**environment, "TIDEMARK_SECRETS": "file:///nowhere"}

    assert 78 == pods.main([JOBMANAGER, *WORDS], gone)
    assert "file:///nowhere', which cannot be read" in capsys.readouterr().err


def test_a_jobmanager_runs_our_program_under_the_id_of_its_incarnation() -> None:
    words = pods.command(JOBMANAGER, DEPLOYED, Home.find().flink, Path("/work/conf"))
    ours = words[words.index("-py") + 2 :]
    parser = argparse.ArgumentParser()
    Deployment.add_to(parser)

    assert f"{2:032x}" == words[words.index("--job-id") + 1]
    assert DEPLOYED == Deployment.of(parser.parse_args(ours))


def test_a_taskmanager_has_no_program() -> None:
    words = pods.command(TASKMANAGER, DEPLOYED, Home.find().flink, Path("/work/conf"))

    assert ["--configDir", "/work/conf"] == words[-2:]
