"""A job that was started elsewhere: where its secret settings come from, and where its outcome goes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.s3 import S3Server, moto_server
from tidemark_contract.errors import PlatformUnavailable, SettingsError
from tidemark_contract.outcome import Outcome
from tidemark_jobs.outcomes import deliver
from tidemark_jobs.secret_settings import secret_settings

URL = "postgresql://capture:se%22cret-word@127.0.0.1:1/shop"
# The job's own main, with a sync that ends as it is told to.
JOB = """
import os, signal, sys
from tidemark_contract.errors import SourceRefused, SourceUnavailable
from tidemark_jobs import __main__ as jobs
def sync_job(run):
    yield {"mark": 7}
    yield {"mark": 8, "url": run.url}
    exec(sys.argv[1])
jobs.sync_job = sync_job
jobs.run_as_process(["sync", "--source", "shop"])
"""


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "TIDEMARK_SOURCE_SHOP_URL").write_text(f"{URL}\n")
    (mounted / "..data").mkdir()  # as Kubernetes has it
    return {
        "TIDEMARK_SPECS": str(tmp_path),
        "TIDEMARK_STATE": str(tmp_path),
        "TIDEMARK_LAKE": (tmp_path / "lake").as_uri(),
        "TIDEMARK_SECRETS": mounted.as_uri(),
        "TIDEMARK_OUTCOME": (tmp_path / "lake" / "control" / "one.json").as_uri(),
    }


def run(end: str, settings: dict[str, str]) -> tuple[int, Outcome | None]:
    argv = [sys.executable, "-W", "ignore", "-c", JOB, end]
    done = subprocess.run(argv, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    file = Path(settings["TIDEMARK_OUTCOME"].removeprefix("file://"))
    return done.returncode, Outcome.parse(file.read_text()) if file.exists() else None


@pytest.mark.parametrize(
    ("end", "code", "reason"),
    [
        ("pass", 0, ""),
        ("raise SourceUnavailable(f'no answer from {run.url}')", 75, "no answer from postgresql://capture:***@127"),
        ("raise SourceRefused('wal_level is replica')", 78, "wal_level is replica"),
        ("raise MemoryError('se\"cret-word')", 1, "MemoryError: ***"),
    ],
)
def test_a_jobs_end_is_its_outcome_without_a_secret(settings: dict[str, str], end: str, code: int, reason: str) -> None:
    ended, outcome = run(end, settings)

    assert outcome is not None
    assert (code, code) == (ended, outcome.code)
    assert outcome.reason.startswith(reason)
    assert outcome.summary == ({} if code == 1 else {"mark": 8, "url": "postgresql://capture:***@127.0.0.1:1/shop"})
    assert "cret-word" not in outcome.to_json()


def test_a_job_that_is_killed_leaves_none(settings: dict[str, str]) -> None:
    assert (-15, None) == run("os.kill(os.getpid(), signal.SIGTERM)", settings)
    assert (-9, None) == run("os.kill(os.getpid(), signal.SIGKILL)", settings)


def test_the_first_outcome_stays(settings: dict[str, str]) -> None:
    """What runs jobs may run one a second time, after it had ended."""
    deliver(Outcome(78, {}, "first"), settings)
    deliver(Outcome(0), settings)

    assert 78 == json.loads(Path(settings["TIDEMARK_OUTCOME"].removeprefix("file://")).read_text())["code"]


def test_a_place_without_secrets_is_named(settings: dict[str, str], tmp_path: Path) -> None:
    assert {} == secret_settings({})
    assert {"TIDEMARK_SOURCE_SHOP_URL": URL} == secret_settings(settings)
    with pytest.raises(SettingsError, match=r"nowhere', which cannot be read: No such file"):
        secret_settings({"TIDEMARK_SECRETS": "file:///nowhere"})
    (tmp_path / "mounted" / "TIDEMARK_LAKE").write_text("s3://elsewhere")
    with pytest.raises(
        SettingsError, match="which holds TIDEMARK_LAKE: only TIDEMARK_SOURCE_<NAME>_URL and TIDEMARK_H"
    ):
        secret_settings(settings)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in {**server.environment, "AWS_MAX_ATTEMPTS": "1"}.items():
            patch.setenv(name, value)
        yield server


def test_secrets_manager_is_asked_by_name(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.session import get_session

    client = get_session().create_client("secretsmanager", "eu-central-1", endpoint_url=server.endpoint)
    client.create_secret(Name="good", SecretString=json.dumps({"TIDEMARK_SOURCE_SHOP_URL": URL}))
    client.create_secret(Name="plain", SecretString=URL)

    def ask(name: str) -> dict[str, str]:
        return secret_settings({"TIDEMARK_SECRETS": name, "AWS_REGION": "eu-central-1"})

    assert {"TIDEMARK_SOURCE_SHOP_URL": URL} == ask("good")
    with pytest.raises(SettingsError, match="'plain': its text has to be a JSON object") as wrong:
        ask("plain")
    assert "word" not in str(wrong.value)
    with pytest.raises(SettingsError, match="'none': Secrets Manager says ResourceNotFoundException"):
        ask("none")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(PlatformUnavailable, match="does not answer"):
        ask("good")
