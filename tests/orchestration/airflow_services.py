"""An Airflow as Compose runs it, without containers: FAB, PostgreSQL, and AWS as moto plays it; all on loopback."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.orchestration.canaries import Canaries
from tests.orchestration.world import SPARK_PYTHON
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 300.0
ADMIN, SCALER = "admin", "scaler"
BUCKET, REGION = "tidemark-airflow", "eu-west-1"
DEPLOYED = f"s3://{BUCKET}/dags"
VERSIONED = "tidemark_orchestration.bundles.bundle.VersionedS3Bundle"
THRESHOLD = 1000
KEY = "alias/tidemark-airflow"
ENCRYPTED = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}
PREFIXES = {
    "connections_prefix": "airflow/connections",
    "variables_prefix": "airflow/variables",
    "config_prefix": None,
}
TABLES = {"shop": "lineitem", "crm": "contact", "attic": "thing"}
OWNERS = {"shop": "sales-data", "crm": "crm-team", "attic": ""}
# Two API servers: one has the pages and what people ask, the other is what tasks talk to.
SERVICES = {
    "api-server": ("api-server", "--apps", "core", "--workers", "1"),
    "execution": ("api-server", "--apps", "execution", "--workers", "1"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "scheduler-2": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "worker": ("celery", "worker", "--concurrency", "2", "--skip-serve-logs", "--without-gossip", "--without-mingle"),
}
NEEDED = ("api-server", "execution", "scheduler", "dag-processor")


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Run a server; give its superuser's URL, and what lets it `stop` and `start`."""
    argv = [str(SPARK_PYTHON), "-W", "ignore", str(Path(__file__).with_name("server.py")), str(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        said, heard = process.stdin, process.stdout

        def tell(word: str) -> None:
            said.write(f"{word}\n")
            said.flush()
            assert heard.readline(), "no PostgreSQL"

        try:
            url = heard.readline().strip()
            assert url, "no PostgreSQL"
            yield url.replace("postgresql://", "postgresql+psycopg2://"), tell
        finally:
            process.communicate(timeout=PATIENCE_S)


@contextmanager
def aws(log: Path = Path(os.devnull)) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run moto's server and give its address; as a process, for all of its servers in one process are one AWS.

    Each request is a line of the log.
    """
    port = free_port()
    argv = [sys.executable, "-W", "ignore", "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("ab") as lines, subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=lines) as process:
        try:
            wait_for(lambda: _is_open(port))
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()


@dataclass
class Platform:
    """What its services are told, what runs of it, and its REST API."""

    folder: Path
    database: str
    s3: str
    server: Callable[[str], None]
    amazon: "subprocess.Popen[bytes]"
    canaries: Canaries = field(default_factory=Canaries)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    def make(self) -> None:
        """Draw what is secret, write the specs; nothing runs yet."""
        self.folder.mkdir(exist_ok=True)
        drawn = {
            "database-url": self.database,
            "fernet-key": secrets.token_urlsafe(32) + "=",
            "jwt-secret": secrets.token_urlsafe(64),
            "api-key": secrets.token_urlsafe(32),
            "admin-password": secrets.token_urlsafe(15),
            f"password-of-{SCALER}": secrets.token_urlsafe(15),
            "port": str(free_port()),
            "execution-port": str(free_port()),
        }
        for name, value in drawn.items():
            self.secret(name).write_text(value)
        shouting = Path(__file__).with_name("shouting_job.py")
        self.secret("python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{shouting}" "$@"\n')
        self.secret("python").chmod(0o700)
        for source, table in TABLES.items():
            self.write_source(source, OWNERS[source])
            text = f"table: public.{table}\nkey: [id]\ncolumns: [{{name: id, type: integer, nullable: false}}]\n"
            (self.folder / "specs" / source / f"public.{table}.yaml").write_text(text)

    def write_source(self, source: str, owner: str) -> None:
        folder = self.folder / "specs" / source
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "source.yaml").write_text(f"source: {source}\n" + (f"owner: {owner}\n" if owner else ""))

    def secret(self, name: str) -> Path:
        return self.folder / name

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.secret('port').read_text()}"

    @property
    def execution_address(self) -> str:
        """The server that tasks talk to."""
        return f"http://127.0.0.1:{self.secret('execution-port').read_text()}"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def environment(self) -> dict[str, str]:
        port = self.secret("port").read_text()
        folders = {"tidemark": REPOSITORY / "orchestration" / "dags", "tests": Path(__file__).with_name("dags")}
        local = "airflow.dag_processing.bundles.local.LocalDagBundle"
        bundles = [{"name": name, "classpath": local, "kwargs": {"path": str(path)}} for name, path in folders.items()]
        in_s3 = {"url": DEPLOYED, "refresh_interval": 2}
        bundles.append({"name": "deployed", "classpath": VERSIONED, "kwargs": in_s3})
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS", "TIDEMARK"))
        }
        return {
            **kept,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "AIRFLOW__CORE__EXECUTOR": "tidemark_orchestration.local_executor.MaskedLocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.execution_address}/execution/",
            "AIRFLOW__CORE__FERNET_KEY_CMD": f"cat {self.secret('fernet-key')}",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": f"cat {self.secret('database-url')}",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(self.folder / "bundles"),
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
            # What is dead is to be noticed soon; what stands still for half a minute, with the machine, is not dead.
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "45",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API__BASE_URL": self.address,
            "AIRFLOW__API__SECRET_KEY_CMD": f"cat {self.secret('api-key')}",
            "AIRFLOW__API_AUTH__JWT_SECRET_CMD": f"cat {self.secret('jwt-secret')}",
            "AIRFLOW__FAB__CACHE_TTL": "0",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AWS_ENDPOINT_URL": self.s3,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AIRFLOW__CORE__XCOM_BACKEND": "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend",
            "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH": f"s3://{BUCKET}/xcom",
            "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD": str(THRESHOLD),
            "FSSPEC_S3": json.dumps({"s3_additional_kwargs": ENCRYPTED}),
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": f"s3://{BUCKET}/logs",
            "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "",
            "AIRFLOW__SECRETS__BACKEND": ("airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"),
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(PREFIXES),
            "AIRFLOW__SECRETS__USE_CACHE": "True",
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_ADMIN_PASSWORD_FILE": str(self.secret("admin-password")),
            "TIDEMARK_SCALER_PASSWORD_FILE": str(self.secret(f"password-of-{SCALER}")),
            "TIDEMARK_JOBS_PYTHON": str(self.secret("python")),
            **self.canaries.environment(),
            **self.more,
        }

    def aws(self, service: str) -> Any:
        """Give a client of what plays AWS."""
        import boto3

        names = {"AWS_ENDPOINT_URL": "endpoint_url", "AWS_DEFAULT_REGION": "region_name"}
        keys = {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
        told = self.environment
        return boto3.client(service, **{word: told[name] for name, word in {**names, **keys}.items()})

    def objects(self, prefix: str) -> dict[str, Any]:
        """Give the objects of the bucket below a prefix, with what is known of each."""
        s3 = self.aws("s3")
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {one["Key"]: s3.head_object(Bucket=BUCKET, Key=one["Key"]) for one in listed}

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of Airflow's environment to its end."""
        argv = [sys.executable, "-W", "ignore", "-m", *words]
        environment = {**self.environment, **more}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def prepare(self) -> None:
        done = self.run("tidemark_orchestration.prepare")
        assert done.returncode == 0, done.stderr[-3000:]

    def start(self, *names: str) -> None:
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                argv = [sys.executable, "-W", "ignore", "-m", "airflow", *SERVICES[name]]
                self.running[name] = subprocess.Popen(
                    argv, env=self._told(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )

    def _told(self, name: str) -> dict[str, str]:
        """Give what one service is told."""
        told = self.environment
        if name == "execution":
            return told | {"AIRFLOW__API__PORT": self.secret("execution-port").read_text()}
        if name == "worker":  # of no database, as in Compose
            del told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"]
            return told | {"WHERE": name}
        return told

    def end(self, *names: str) -> None:
        """End what runs, or some of it, with all that it has started; a scheduler takes its time for TERM."""
        ended = [self.running.pop(name) for name in names or list(self.running)]
        for process in ended:
            process.terminate()
        for process in ended:
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def revive(self) -> None:
        """Start again what has ended by itself, with all that it has left; as Compose, ECS and Kubernetes do."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.end(name)
                self.start(name)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def ask(self, method: str, path: str, user: str = ADMIN, body: Any = None) -> requests.Response:
        """Ask as somebody; as nobody without a user."""
        headers = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        return requests.request(method, self.address + path, headers=headers, json=body, timeout=60)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.ok, answer.text
        return answer.json()

    def token(self, user: str) -> str:
        if user not in self.tokens:
            login = {"username": user, "password": self.password(user)}
            answer = requests.post(f"{self.address}/auth/token", json=login, timeout=60)
            assert answer.status_code == 201, answer.text
            self.tokens[user] = answer.json()["access_token"]
        return self.tokens[user]

    def password(self, user: str) -> str:
        file = self.secret("admin-password" if user == ADMIN else f"password-of-{user}")
        if not file.exists():
            file.write_text(secrets.token_urlsafe(12))
        return file.read_text()

    def add_user(self, name: str, roles: Sequence[str]) -> None:
        person = {"username": name, "first_name": name, "last_name": name, "email": f"{name}@example.com"}
        known = {**person, "password": self.password(name), "roles": [{"name": role} for role in roles]}
        answer = self.ask("POST", "/auth/fab/v1/users", body=known)
        assert answer.ok, answer.text

    def wait_for_dags(self, *dags: str) -> None:
        wait_for(lambda: all(self.ask("GET", f"/api/v2/dags/{dag}").ok for dag in dags), self.whole_story)

    def run_dag(self, dag: str, conf: Mapping[str, Any] | None = None) -> tuple[str, str]:
        """Run it to its end; give the run's id and state."""
        assert self.ask("PATCH", f"/api/v2/dags/{dag}", body={"is_paused": False}).ok
        answer = self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", body={"logical_date": None, "conf": conf or {}})
        assert answer.ok, answer.text
        run = answer.json()["dag_run_id"]
        path = f"/api/v2/dags/{dag}/dagRuns/{run}"
        state = wait_for(
            lambda: (found := self.get(path)["state"]) in ("success", "failed") and found, self.whole_story
        )
        return run, state

    def whole_story(self) -> str:
        return "\n".join(self.said(name)[-3000:] for name in self.running)


def wait_for(found: Callable[[], Any], story: Callable[[], str] = str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (what := found()):
        assert time.monotonic() < deadline, story()
        time.sleep(0.3)
    return what


def healthy(platform: Platform, *components: str) -> bool:
    try:
        health = requests.get(f"{platform.address}/api/v2/monitor/health", timeout=10).json()
    except (requests.RequestException, ValueError):
        return False
    return all((health.get(name) or {}).get("status") == "healthy" for name in components)


@contextmanager
def made(folder: Path) -> Iterator[Platform]:
    """Run all of it; at the end nothing of it is left."""
    with ExitStack() as stack:
        s3, amazon = stack.enter_context(aws())
        database, server = stack.enter_context(postgres(folder / "postgres"))
        platform = Platform(folder / "airflow", database, s3, server, amazon)
        platform.make()
        platform.aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        with ThreadPoolExecutor(2) as pool:  # an empty database, prepared twice at once
            list(pool.map(lambda _: platform.prepare(), range(2)))
        stack.callback(platform.end)
        platform.start(*NEEDED)
        wait_for(lambda: healthy(platform, "metadatabase", "scheduler", "dag_processor"), platform.whole_story)
        yield platform


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
