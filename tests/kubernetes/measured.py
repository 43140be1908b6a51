"""What is measured, by who measures it: a stream with the reporter of its pods, and Airflow's own exporter."""

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psycopg

from tests.kubernetes.cluster import ROOT, wait_for
from tidemark.local.postgres import EmbeddedPostgres

LOCAL = ROOT / ".tidemark"
FLINK, AIRFLOW = (LOCAL / "venv" / name / "bin" / "python" for name in ("flink", "airflow"))
PLUGIN = "plugins/metrics-prometheus"
TABLES = """
CREATE ROLE capture LOGIN REPLICATION PASSWORD 'capture';
CREATE TABLE numbers (n int PRIMARY KEY);
CREATE PUBLICATION tidemark_shop FOR TABLE numbers;
"""
# The settings of a pod, in a stream on this machine; its two processes take a port each.
STREAM = """
import sys
from tidemark_streaming import __main__, cluster
from tidemark_streaming.flink_settings import METRICS
settings = cluster.cluster_settings
reporting = {**METRICS, "metrics.reporter.prometheus.port": sys.argv.pop(1)}
cluster.cluster_settings = lambda **known: {**settings(**known), **reporting}
sys.exit(__main__.main(sys.argv[1:]))
"""
# All that Airflow's template names, with a label for each of its variables, again and again.
EXPORT = """
import time, yaml
from pathlib import Path
from airflow._shared.observability import metrics
from airflow._shared.observability.metrics.otel_logger import get_otel_logger
known = yaml.safe_load(Path(metrics.__file__).with_name("metrics_template.yaml").read_text())["metrics"]
logger = get_otel_logger()
send = {"counter": logger.incr, "gauge": lambda name, tags: logger.gauge(name, 3, tags=tags),
        "timer": lambda name, tags: logger.timing(name, 1500.0, tags=tags)}
while True:
    for each in known:
        if "{" not in each["name"]:
            send[each["type"]](each["name"], tags=dict.fromkeys(each["name_variables"], "sync_shop"))
    time.sleep(1)
"""


@dataclass(frozen=True)
class Stream:
    """A stream of the source `shop`, in a folder; its metrics are at one of `ports` each."""

    folder: Path
    server: EmbeddedPostgres
    # Below those that the system gives out, among which are the other ports of Flink.
    first_port: int = field(default_factory=lambda: random.randrange(20_000, 30_000, 10))

    @property
    def ports(self) -> range:
        return range(self.first_port, self.first_port + 10)

    @contextmanager
    def open(self) -> Iterator["Stream"]:
        with psycopg.connect(self.server.superuser_url, autocommit=True) as source:
            source.execute(TABLES)
            source.execute("SELECT pg_create_logical_replication_slot('tidemark_shop', 'pgoutput')")
        self._write_specs()
        self._link_plugin()
        self.run("start", "--detach", "--checkpoint-interval", "500ms")
        try:
            yield self
        finally:
            self.run("stop")

    def write(self, first: int, last: int) -> None:
        with psycopg.connect(self.server.superuser_url, autocommit=True) as source:
            source.execute("INSERT INTO numbers SELECT generate_series(%s::int, %s)", (first, last))

    def targets(self) -> list[str]:
        """Wait until both processes answer, and say where."""
        return wait_for(self._answering, "the metrics", str)

    def _answering(self) -> list[str]:
        found = [f"127.0.0.1:{port}" for port in self.ports if "flink_" in scraped(port)]
        return found if len(found) == 2 else []

    def run(self, *words: str) -> None:
        ports = f"{self.ports[0]}-{self.ports[-1]}"
        argv: list[str | Path] = [FLINK, "-c", STREAM, ports, *words, "--source", "shop"]
        environment = {**os.environ, **self._environment()}
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr

    def _environment(self) -> dict[str, str]:
        return {
            "TIDEMARK_HOME": str(self.folder / "home"),
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_LAKE": (self.folder / "lake").as_uri(),
            "TIDEMARK_STATE": str(self.folder / "state"),
            "TIDEMARK_SOURCE_SHOP_URL": self.server.url("capture", "postgres", "capture"),
        }

    def _write_specs(self) -> None:
        specs = self.folder / "specs" / "shop"
        specs.mkdir(parents=True)
        (specs / "source.yaml").write_text("source: shop")
        columns = "columns: [{name: n, type: integer, nullable: false}]"
        (specs / "public.numbers.yaml").write_text(f"table: public.numbers\nkey: [n]\n{columns}")

    def _link_plugin(self) -> None:
        """As the image does: it comes with Flink, among plugins that are not used."""
        [plugin] = (LOCAL / "venv/flink").glob(f"lib/*/site-packages/pyflink/{PLUGIN}")
        (self.folder / "home/plugins/flink").mkdir(parents=True)
        (self.folder / "home/plugins/flink/metrics-prometheus").symlink_to(plugin)
        (self.folder / "home/jars").symlink_to(LOCAL / "jars")


@contextmanager
def stream(folder: Path) -> Iterator[Stream]:
    """Run a PostgreSQL and its stream."""
    server = EmbeddedPostgres(LOCAL / "postgres" / "17", folder / "postgres")
    try:
        with server, Stream(folder, server).open() as running:
            yield running
    finally:
        server.remove()


def scraped(port: int) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@contextmanager
def airflow(endpoint: str) -> Iterator[None]:
    """Send all that Airflow knows meanwhile, by its own code, as a process of Airflow does."""
    settings = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": endpoint, "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
    argv: list[str | Path] = [AIRFLOW, "-W", "ignore", "-c", EXPORT]
    with subprocess.Popen(argv, env={**os.environ, **settings}, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()
