"""What DAG files read of Secrets Manager is asked of it once, however often they are parsed: counted at its server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.orchestration.airflow_services import PREFIXES, aws

pytestmark = [pytest.mark.slow, pytest.mark.drawn(1)]
PARSED = 3
DAG = """
from airflow.sdk import DAG, Connection, Variable

with open("FILE", "a") as lines:
    print(Variable.get("far"), Connection.get("pages").host, file=lines)
DAG("reads", schedule=None)
"""


class Manager:
    """Secrets Manager with a variable and a connection, as moto's server plays it, and what it was asked."""

    def __init__(self, address: str, log: Path) -> None:
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}
        self.environment = {**keys, "AWS_ENDPOINT_URL": address}
        self._log = log
        client = boto3.client(
            "secretsmanager", "eu-west-1", endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_secret(Name="airflow/variables/far", SecretString="a-value")
        client.create_secret(Name="airflow/connections/pages", SecretString="http://a-host")

    def requests(self) -> int:
        return sum('"POST / ' in line for line in self._log.read_text().splitlines())


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    log = tmp_path / "requests"
    with aws(log) as (address, _):
        yield Manager(address, log)


def parse(manager: Manager, folder: Path, use_cache: bool) -> tuple[list[str], int]:
    """Let the DAG processor parse a file several times; give what it has read, and how often it has asked."""
    (folder / "dags").mkdir()
    read = folder / "read"
    (folder / "dags" / "reads.py").write_text(DAG.replace("FILE", str(read)))
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [{"name": "reads", "classpath": local, "kwargs": {"path": str(folder / "dags")}}]
    told = {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "0",
        "AIRFLOW__SECRETS__BACKEND": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(PREFIXES),
        "AIRFLOW__SECRETS__USE_CACHE": str(use_cache),
    }
    before = manager.requests()
    words = [sys.executable, "-W", "ignore", "-m", "airflow", "dag-processor", "--num-runs", str(PARSED)]
    environment = {**os.environ, **manager.environment, **told}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert read.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return read.read_text().splitlines(), manager.requests() - before


@pytest.mark.parametrize(("use_cache", "asked"), [(True, 2), (False, 2 * PARSED)])
def test_secrets_manager_is_asked_once_for_what_is_parsed_often(
    database: str, manager: Manager, tmp_path: Path, use_cache: bool, asked: int
) -> None:
    assert (["a-value a-host"] * PARSED, asked) == parse(manager, tmp_path, use_cache)
