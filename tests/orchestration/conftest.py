"""An Airflow of its own, in a folder that goes with the tests; set before Airflow is imported."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.orchestration.airflow_services import Platform

# Python that waits for a busy core is not slow code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

REPOSITORY = Path(__file__).parents[2]
HOME = Path(tempfile.mkdtemp(prefix="tidemark-airflow-"))
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "orchestration" / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
}


@pytest.fixture(scope="session", autouse=True)
def airflow_home() -> Iterator[Path]:
    yield HOME
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def database(airflow_home: Path) -> str:
    """Make Airflow's database; give its address."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, timeout=300)
    return os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Platform"]:
    """Run an Airflow as Compose does, without containers; the tests share it."""
    from tests.orchestration.airflow_services import made

    with made(tmp_path_factory.mktemp("platform")) as platform:
        yield platform


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Give what a place of TIDEMARK_NOTIFY was told."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}/secret-path"}
        monkeypatch.setenv("AIRFLOW_CONN_TEAMS", json.dumps(connection))
        monkeypatch.setenv("TIDEMARK_NOTIFY", "webhook:teams")
        yield got
        server.shutdown()
