"""An Airflow that AWS runs: what it is given is read as MWAA reads it, by an Airflow that is here."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.deploy import dags
from infra.deploy.environment import Environment
from infra.deploy.stack import Stack
from tests.infra.emulators import REGION, Aws
from tests.infra.terraform import REPOSITORY, Terraform, copied
from tests.infra.test_apply import client

NAME = "tidemark-mwaa"
BUCKET = f"{NAME}-dags"
AIRFLOW = REPOSITORY / ".tidemark/venv/airflow/bin"
# What an Airflow finds there, and which of our packages it runs.
LOOK = """
import json, sys
from pathlib import Path
from airflow.configuration import conf, ensure_secrets_loaded
from airflow.dag_processing.dagbag import BundleDagBag
import tidemark_orchestration, tidemark_contract
bag = BundleDagBag(dag_folder=sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="plain", safe_mode=True)
print(json.dumps({
    "errors": bag.import_errors,
    "dags": sorted(bag.dags),
    "paused": conf.getboolean("core", "dags_are_paused_at_creation"),
    "code": [tidemark_orchestration.__file__, tidemark_contract.__file__],
    "secrets": [type(one).__name__ for one in ensure_secrets_loaded()],
}))
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Environs:
    """The environment, and where it is told to look for DAG files."""

    aws: Aws
    dags: str
    specs: Path

    def deploy(self, specs: Path) -> None:
        names = ("sources", "jobs", "airflow", "buckets", "images", "metadata", "prepare")
        nothing: dict[str, Any] = {**dict.fromkeys(names, ()), "cluster": ""}
        settings = {"AWS_REGION": REGION, "TIDEMARK_DAGS": f"s3://{BUCKET}/dags"}
        stack = Stack(name=NAME, platform="mwaa", settings=settings, plain_dags=(self.dags,), **nothing)
        dags.publish(stack, Environment("dev", specs, "a-release"))

    def fetched(self, prefix: str, into: Path) -> Path:
        """Bring what lies below a prefix to a folder, as MWAA does every half minute."""
        s3 = client(self.aws.endpoint, "s3")
        for there in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
            target = into / there["Key"].removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=BUCKET, Key=there["Key"])["Body"].read())
        return into


@pytest.fixture(scope="module")
def environs(aws: Aws, told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environs]:
    if not AIRFLOW.exists():
        pytest.skip(f"{AIRFLOW} is not there: `make setup`")
    with copied(tmp_path_factory.mktemp("mwaa")) as place, pytest.MonkeyPatch.context() as patch:
        terraform = Terraform(place / "tests/infra/mwaa", {**aws.environment, **told, **aws.mwaa})
        terraform.init()
        terraform.apply()
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in aws.environment.items():
            patch.setenv(name, value)
        yield Environs(aws, terraform.outputs()["dags"], place / "tests/infra/specs")
        terraform.destroy()


def test_its_services_begin_with_our_code_and_settings_and_find_our_dags(environs: Environs, tmp_path: Path) -> None:
    environs.deploy(environs.specs)
    plain = environs.fetched("mwaa/dags/", tmp_path / "dags")
    begun = begin(environs, tmp_path)
    assert ("emr-serverless", "it's $HOME") == (begun["TIDEMARK_LAUNCHER"], begun["TIDEMARK_TOLD"])

    [packages] = (tmp_path / ".local/lib").glob("python3.*/site-packages")
    found = look(plain, {**begun, **options(environs), "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(packages)})
    assert {} == found["errors"]
    assert {"sync_shop", "verify_shop", "copy_billing", "platform_hygiene"} <= set(found["dags"])
    assert all(file.startswith(str(packages)) for file in found["code"])
    assert found["paused"]
    assert "SecretsManagerBackend" in found["secrets"]


def test_what_is_taken_out_is_gone_there_too(environs: Environs, tmp_path: Path) -> None:
    specs = Path(shutil.copytree(environs.specs, tmp_path / "specs"))
    environs.deploy(specs)
    before = names(environs.fetched("mwaa/dags/", tmp_path / "before"))
    assert {"tidemark_dags.py", "specs/shop/source.yaml", "specs/billing/source.yaml"} <= before

    shutil.rmtree(specs / "billing")
    environs.deploy(specs)
    after = names(environs.fetched("mwaa/dags/", tmp_path / "after"))
    assert {name for name in before if not name.startswith("specs/billing/")} == after
    assert {"startup.sh"} < names(environs.fetched("mwaa/", tmp_path / "rest")), "what is beside them stays"


def begin(environs: Environs, home: Path) -> dict[str, str]:
    """Do what MWAA does before each service: source the script, and keep what it has exported."""
    script = environs.fetched("mwaa/", home / "startup") / "startup.sh"
    told = {**environs.aws.environment, "HOME": str(home), "PATH": f"{AIRFLOW}:{os.environ['PATH']}"}
    told |= {"PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": REGION}
    words = ["bash", "-c", f'source "{script}" >&2; env -0']
    said = subprocess.run(words, env=told, capture_output=True, text=True, check=True)
    assert "" == said.stderr
    return dict(line.split("=", 1) for line in said.stdout.rstrip("\0").split("\0"))


def options(environs: Environs) -> dict[str, str]:
    """Give Airflow's settings as MWAA hands them on: section.option is AIRFLOW__SECTION__OPTION."""
    # Its client asks at api.<host>, and no address has such a host.
    mwaa = boto3.client(
        "mwaa", REGION, endpoint_url=environs.aws.others["MWAA"], config=Config(inject_host_prefix=False)
    )
    found = mwaa.get_environment(Name=NAME)["Environment"]["AirflowConfigurationOptions"]
    return {f"AIRFLOW__{name.replace('.', '__')}".upper(): value for name, value in found.items()}


def look(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    words = [str(AIRFLOW / "python"), "-W", "ignore", "-c", LOOK, str(folder)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
