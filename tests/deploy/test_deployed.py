"""`make deploy` as a person does it, on AWS, a registry and a Kubernetes of this machine: all of it, and a proof."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import helm_python as helm
import pytest
import yaml

from tests.deploy.account import Account, may_not, opened
from tests.infra.terraform import why_not
from tests.infra.test_apply import tagged
from tests.integration.containers import unavailable
from tests.kubernetes.cluster import Cluster, missing, wait_for
from tests.variants import ALL

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(5400)]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """It takes half an hour, so it is not asked of a run of all suites."""
    if not ALL:
        pytest.skip("the suite is run among others: `make test-deploy` deploys all of it")
    if why := missing() or unavailable() or why_not() or may_not():
        pytest.skip(why)
    cluster = Cluster.find()
    cluster.load("postgres:17")
    with opened(cluster, tmp_path_factory.mktemp("account")) as made:
        yield made


@pytest.fixture(scope="module")
def deployed(account: Account) -> Account:
    """A first time, until a person is needed; and once more when the secret is there."""
    first = account.run("deploy")
    assert (78, True) == (first.code, "put-secret-value --secret-id tidemark-dev/sources/shop" in first.said), (
        first.said
    )
    secret = json.dumps({"TIDEMARK_SOURCE_SHOP_URL": account.shop.url("capture")})
    account.client("secretsmanager").put_secret_value(SecretId="tidemark-dev/sources/shop", SecretString=secret)
    account.make_airflows_database()

    second = account.run("deploy")

    assert second.code == 0, second.said[-6000:]
    assert "verify: shop: 2 tables are equal at mark" in second.said
    assert account.shop.password not in second.said
    return account


def test_a_release_is_pushed_once(deployed: Account) -> None:
    """By two deployments of the same commit."""
    names = sorted(tag.partition(":")[0] for tag in deployed.registry.told)
    assert ["tidemark-dev/airflow", "tidemark-dev/flink", "tidemark-dev/spark"] == names


def test_the_owners_url_goes_with_whoever_is_killed_while_it_is_used(deployed: Account) -> None:
    """It is a Secret of a Job's own, and the Job goes by itself."""
    jobs = deployed.cluster.within("tidemark-jobs")

    def secret() -> list[str]:
        return [name for each in jobs.get("secrets")["items"] if "-init-" in (name := str(each["metadata"]["name"]))]

    wait_for(lambda: not secret(), "the end of the first one's", jobs.told)
    with deployed.begin("init") as process:
        wait_for(secret, "the Secret", jobs.told)
        os.killpg(process.pid, signal.SIGKILL)
    wait_for(lambda: not secret(), "the end of it", jobs.told)


def test_a_dag_of_it_runs_a_job_in_the_cluster(deployed: Account) -> None:
    """Its files come from the bundle, its job from the template of its workload, its log goes to S3."""
    airflow = deployed.cluster.within("airflow")

    def cli(*words: str) -> str:
        return airflow.kubectl("exec", "deploy/airflow-scheduler", "--", "airflow", *words, check=False)

    wait_for(lambda: "sync_shop" in cli("dags", "list", "-o", "plain"), "the DAG", airflow.told)
    deployed.shop.sql("INSERT INTO account VALUES (777777, 'later', 1)")
    cli("dags", "trigger", "sync_shop", "--run-id", "one")
    cli("dags", "unpause", "sync_shop")

    def state() -> str:
        said = cli("tasks", "states-for-dag-run", "sync_shop", "one", "-o", "json")
        found = {each["task_id"]: each["state"] for each in json.loads(said[said.index("[") :])} if "[" in said else {}
        ended = str(found.get("sync"))
        return ended if ended in ("success", "failed") else ""

    ended = wait_for(
        state, "the end of the task", lambda: airflow.told() + deployed.cluster.within("tidemark-jobs").told()
    )
    assert "success" == ended
    logs = deployed.client("s3").list_objects_v2(Bucket=deployed_bucket(deployed, "logs"), Prefix="tasks/")
    assert logs["KeyCount"]


def test_a_job_is_submitted_with_all_that_it_needs(deployed: Account) -> None:
    """No emulator runs it: it is over at once, and has told nothing. Such words are run in test_remote_runs.py."""
    submitted = deployed.run("submit", "--", "sync", "--source", "shop")
    assert (75, True) == (submitted.code, "left no outcome" in submitted.said), submitted.said[-3000:]

    service, s3 = deployed.client("emr-serverless"), deployed.client("s3")
    [application] = service.list_applications()["applications"]
    [run] = service.list_job_runs(applicationId=application["id"])["jobRuns"]
    told = service.get_job_run(applicationId=application["id"], jobRunId=run["id"])["jobRun"]
    words = told["jobDriver"]["sparkSubmit"]
    assert told["executionRole"].endswith("role/tidemark-dev-shop-mirror")
    assert ["sync", "--source", "shop"] == words["entryPointArguments"][:3]
    named = re.findall(r"s3://([^/\s,#]+)/([^\s,#]+)", f"{words['entryPoint']} {words['sparkSubmitParameters']}")
    files = [(bucket, key) for bucket, key in named if "-artefacts-" in bucket]
    assert len(files) > 5
    assert [] == [key for bucket, key in files if not s3.list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount")]


def test_a_stream_whose_upgrade_lands_nothing_is_as_it_was(deployed: Account) -> None:
    """A lake that is not there: its pods never get ready, and the ones before come back from their last state."""
    with broken(deployed):
        refused = deployed.run("stream", "--source", "shop", "--patience", "120")

    assert (78, True) == (refused.code, "it is as it was" in refused.said), refused.said[-3000:]
    again = deployed.run("verify", "--source", "shop")
    assert (0, True) == (again.code, "tables are equal at mark" in again.said), again.said[-3000:]


def test_who_comes_after_one_that_was_killed_is_told_how_to_go_on(deployed: Account) -> None:
    """By Ctrl-C Helm takes back what it has begun, by SIGKILL it cannot."""
    pending = ("secrets", "-l", "owner=helm,name=shop-stream,status=pending-upgrade")
    place = deployed.cluster.within("tidemark-stream")
    with broken(deployed), deployed.begin("stream", "--source", "shop") as process:
        wait_for(lambda: place.get(*pending)["items"], "an upgrade", place.told)
        os.killpg(process.pid, signal.SIGINT)
        interrupted = process.wait(300)
    assert (130, []) == (interrupted, place.get(*pending)["items"])

    with broken(deployed), deployed.begin("stream", "--source", "shop") as process:
        wait_for(lambda: place.get(*pending)["items"], "an upgrade", place.told)
        os.killpg(process.pid, signal.SIGKILL)
    refused = deployed.run("stream", "--source", "shop")
    assert (78, True) == (refused.code, "`helm rollback shop-stream --namespace tidemark-stream`" in refused.said)
    with helm.Config(kubeconfig_path=place.kubeconfig, namespace=place.namespace) as config:
        config.rollback("shop-stream")
    assert 0 == deployed.run("stream", "--source", "shop").code


def test_a_plan_of_what_is_deployed_has_no_chart_to_change(deployed: Account) -> None:
    planned = deployed.run("plan")
    assert planned.code == 0, planned.said[-3000:]
    assert "images: nothing to build" in planned.said
    assert "charts: nothing to change" in planned.said


def test_what_is_destroyed_leaves_nothing(deployed: Account) -> None:
    gone = deployed.run("destroy")
    assert gone.code == 0, gone.said[-3000:]
    assert [] == tagged(deployed.aws)
    namespaces = [each["metadata"]["name"] for each in deployed.cluster.get("namespaces")["items"]]
    assert not {"airflow", "tidemark-stream", "tidemark-jobs"} & set(namespaces)


@contextmanager
def broken(account: Account) -> Iterator[None]:
    """Have the stream's values name a lake that is not there."""
    file = account.clone / "infra/terraform/environments/dev/values.yaml"
    before = file.read_text()
    values = yaml.safe_load(before)
    values["flink-pipeline"]["lake"]["url"] = "s3://there-is-no-such-bucket"
    file.write_text(yaml.safe_dump(values))
    try:
        yield
    finally:
        file.write_text(before)


def deployed_bucket(account: Account, purpose: str) -> str:
    names = [each["Name"] for each in account.client("s3").list_buckets()["Buckets"]]
    [found] = [name for name in names if name.startswith("tidemark-dev-") and f"-{purpose}" in name]
    return str(found)
