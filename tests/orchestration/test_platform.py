"""What the services of an Airflow are started, asked and told with, without any of them; tests/compose runs them."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tidemark_orchestration import health, prepare, secret_url

COMPONENTS = ("metadatabase", "scheduler")
WELL = {name: {"status": "healthy"} for name in COMPONENTS}
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
AWKWARD = "p@ss:/w%ord #?"


class Answers(HTTPServer):
    """Answers what it is set to."""

    status, text = 200, ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/health"


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Answers]:
    with Answers(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (WELL, ""),
        ({**WELL, "scheduler": {"status": "unhealthy"}}, "scheduler is unhealthy"),
        ({**WELL, "scheduler": {"status": None}}, "scheduler is not there"),
        ({"metadatabase": {"status": "healthy"}}, "scheduler is not there"),
        ([], "no answer"),
        ("<html>", "no answer"),
    ],
)
def test_health_is_what_every_component_says_whatever_the_status(
    service: Answers, capsys: pytest.CaptureFixture[str], answer: object, said: str
) -> None:
    service.text = answer if isinstance(answer, str) else json.dumps(answer)

    assert int(bool(said)) == health.main([service.url, "--components", *COMPONENTS])
    assert said in capsys.readouterr().err


def test_an_error_another_text_and_no_answer_are_no_health(service: Answers) -> None:
    service.text = "OK"
    assert 0 == health.main([service.url, "--text", "OK"])
    assert 1 == health.main([service.url, "--text", "FINE"])
    service.status = 503
    assert 1 == health.main([service.url])
    assert 1 == health.main(["http://127.0.0.1:1/health"])


def test_a_password_is_put_into_a_url_whatever_characters_it_has() -> None:
    for url in ("postgresql+psycopg2://airflow@postgres:5432/airflow", "redis://redis:6379/0"):
        parts = urlsplit(secret_url.with_password(url, AWKWARD))
        assert (urlsplit(url).hostname, urlsplit(url).port) == (parts.hostname, parts.port)
        assert (urlsplit(url).path, AWKWARD) == (parts.path, unquote(parts.password or ""))
        assert (urlsplit(url).username or "") == parts.username


def test_an_empty_password_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "password").write_text("\n")

    assert 1 == secret_url.main(["redis://redis:6379/0", str(tmp_path / "password")])
    assert ("", True) == ((seen := capsys.readouterr()).out, "is empty: there has to be a password in it" in seen.err)


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("TIDEMARK_ADMIN_PASSWORD_FILE", "has no password for admin in it"),
        ("TIDEMARK_SPECS", "TIDEMARK_SPECS is not set"),
    ],
)
def test_what_preparing_lacks_is_said_before_anything_is_done(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
    said: str,
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", FAB)
    (tmp_path / "password").write_text("secret\n")
    all_of_it = {"TIDEMARK_ADMIN_PASSWORD_FILE": str(tmp_path / "password"), "TIDEMARK_SPECS": str(tmp_path)}

    assert 78 == prepare.main({name: value for name, value in all_of_it.items() if name != lacking})
    assert said in capsys.readouterr().err


def test_the_celery_executor_can_be_loaded() -> None:
    """The provider names what it needs of Celery too widely: a newer one had moved what it imports."""
    words = "import airflow.providers.celery.executors.celery_executor"

    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
