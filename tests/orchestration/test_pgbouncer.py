"""All services of Airflow behind PgBouncer, of the image that the chart runs: many clients share few connections."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from tests.orchestration.airflow_services import NEEDED, Platform, healthy, wait_for
from tests.orchestration.test_faults import WELL, Runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.drawn(2, among="queues"),
    pytest.mark.integration,
    pytest.mark.timeout(1200),
]
REPOSITORY = Path(__file__).parents[2]
IMAGE, PORT, POOL = "tidemark-pgbouncer:test", 6432, 5
SERVICES = (*NEEDED, "triggerer")


def docker(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Pooled:
    platform: Platform
    container: str

    def shows(self, what: str) -> list[tuple[object, ...]]:
        """Ask PgBouncer's own console."""
        url = make_url(self.platform.database)
        place = {"host": "127.0.0.1", "port": PORT, "user": url.username, "password": url.password}
        connection = psycopg2.connect(dbname="pgbouncer", **place)
        try:
            connection.autocommit = True  # it knows no transactions
            with connection.cursor() as cursor:
                cursor.execute(f"SHOW {what}")
                rows: list[tuple[object, ...]] = cursor.fetchall()
                return rows
        finally:
            connection.close()

    def is_there(self) -> bool:
        try:
            return bool(self.shows("VERSION"))
        except psycopg2.OperationalError:
            return False


def run(platform: Platform) -> str:
    """Run the image as the chart does, on this host's network: the database listens on loopback."""
    url = make_url(platform.database)
    secrets = platform.folder / "pooled"
    secrets.mkdir(mode=0o755)
    (secrets / "database-password").write_text(str(url.password))
    (secrets / "database-password").chmod(0o644)  # Kubernetes gives it to the image's group
    told = {
        "DATABASE_HOST": url.host, "DATABASE_PORT": url.port, "DATABASE_NAME": url.database,
        "DATABASE_USER": url.username, "DATABASE_SSLMODE": "prefer",
        "POOL_SIZE": POOL, "MAX_CLIENTS": 200, "LISTEN_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    environment = [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
    done = docker(
        "run", "--detach", "--network", "host", "--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL",
        "--volume", f"{secrets}:/etc/tidemark/secrets:ro", *environment, IMAGE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def pooled(platform: Platform) -> Iterator[Pooled]:
    try:
        built = docker("build", "--quiet", "--tag", IMAGE, str(REPOSITORY / "infra/images/pgbouncer"))
    except FileNotFoundError:
        pytest.skip("there is no Docker here")
    if built.returncode:
        pytest.skip(f"the image cannot be made here: {built.stderr}")
    made = Pooled(platform, run(platform))
    url = make_url(platform.database)
    secret = platform.folder / "pooled" / "database-password"
    address = f"postgresql+psycopg2://{url.username}@127.0.0.1:{PORT}/{url.database}"
    try:
        wait_for(made.is_there, lambda: docker("logs", made.container).stderr[-3000:])
        platform.end(*NEEDED)
        command = f"{sys.executable} -m tidemark_orchestration.secret_url {address} {secret}"
        platform.more = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": command,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC": "tidemark_orchestration.pooled.CONNECT_ARGS",
        }
        platform.start(*SERVICES)
        wait_for(lambda: healthy(platform, *WELL, "triggerer"), platform.whole_story)
        yield made
    finally:
        platform.more = {}
        platform.end(*SERVICES)
        docker("rm", "--force", made.container)
        platform.start(*NEEDED)
        wait_for(lambda: healthy(platform, *WELL), platform.whole_story)


def test_many_clients_share_few_connections_and_every_task_is_done_once(pooled: Pooled, tmp_path: Path) -> None:
    """Those that run in a worker, and those that wait in the triggerer, whose sessions are asynchronous."""
    runs = {dag: Runs(pooled.platform, dag, tmp_path / dag) for dag in ("many", "deferred")}
    for dag in runs:
        (tmp_path / dag).mkdir()
    begun = {dag: [of.begin() for _ in range(4)] for dag, of in runs.items()}
    runs["many"].wait_for("begin", 4)
    time.sleep(5)  # all of them have asked something by now

    clients, servers = len(pooled.shows("CLIENTS")), len(pooled.shows("SERVERS"))
    for dag, of in runs.items():
        of.end_well(*begun[dag])

    assert servers <= POOL < clients
    told = "".join(pooled.platform.said(name) for name in SERVICES)
    assert "prepared statement" not in told
