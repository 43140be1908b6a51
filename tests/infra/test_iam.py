"""Who may do what, where IAM is enforced: our own code under each role, against what the role is for."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.emulators import REGION, Aws, ministack
from tests.infra.enforced import ACCOUNT, NAME, SPARK, World
from tests.infra.terraform import Terraform, copied
from tidemark_orchestration.bundles.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.drawn(2)]

BUCKETS = ("lake", "checkpoints", "logs", "dags", "xcom", "artefacts")
ISSUER = "https://oidc.eks.eu-central-1.amazonaws.com/id/TIDEMARK"

# What is done, and by which workloads of its source; by no other, and by none of another source.
DEEDS = {
    "check": {"stream", "mirror", "gold", "maintain", "erase"},
    "claim": {"stream", "mirror", "gold", "maintain", "erase"},
    "land": {"stream", "maintain", "erase"},
    "clear": {"stream", "maintain", "erase"},
    "save": {"stream"},
    "lease": {"stream", "mirror", "gold", "maintain", "erase"},
    "register": {"mirror", "maintain", "erase"},
    "read_bronze": {"mirror", "maintain", "erase"},
    "fold": {"mirror", "maintain", "erase"},
    "read_silver": {"mirror", "gold", "maintain", "erase"},
    "publish": {"mirror", "maintain", "erase"},
    "read_marks": {"mirror", "gold", "maintain", "erase"},
    "build": {"gold", "maintain", "erase"},
    "vacuum_silver": {"mirror", "maintain", "erase"},
    "vacuum_gold": {"gold", "maintain", "erase"},
    "tell": {"mirror", "gold", "maintain", "erase"},
}
# What is about no source, or about all of them.
COMMON = {"check", "publish", "read_marks"}
WORKLOADS = ("stream", "mirror", "gold", "maintain", "erase")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, told: dict[str, str]) -> Iterator[World]:
    if not SPARK.exists():
        pytest.skip(f"{SPARK} is not there: the jobs' own code is run under their roles (`make setup`)")
    folder = tmp_path_factory.mktemp("iam")
    with ministack(folder, enforce=True) as address, copied(folder):
        aws = Aws(address, {})
        terraform = Terraform(folder / "tests/infra/iam", {**aws.environment, **told})
        terraform.init()
        terraform.apply()
        outputs = terraform.outputs()
        world = World(aws, outputs["roles"], outputs["groups"])
        for purpose in BUCKETS:
            where = {"LocationConstraint": REGION}
            world.client("s3").create_bucket(Bucket=f"{NAME}-{purpose}", CreateBucketConfiguration=where)
        for source in ("shop", "billing"):
            made = ["land", "register", "fold", "publish", "build", "claim", "save"]
            assert set(world.done(None, source, made).values()) == {"done"}
        yield world


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_workload_does_what_is_its_own_and_nothing_else(world: World, workload: str) -> None:
    assert {"land": "done"} == world.done(None, "shop", ["land"])  # so that there is something to register
    expected = {deed: "done" if workload in workloads else "refused" for deed, workloads in DEEDS.items()}
    assert expected == world.done(f"shop-{workload}", "shop", list(DEEDS))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_workload_does_nothing_with_another_source(world: World, workload: str) -> None:
    others = [deed for deed in DEEDS if deed not in COMMON]
    assert dict.fromkeys(others, "refused") == world.done(f"shop-{workload}", "billing", others)


def test_a_role_is_taken_by_the_pods_that_emr_makes_for_it_and_by_no_other(world: World) -> None:
    """With claims that somebody forged: the signature is the issuer's, what they say is for the role's trust."""
    jobs = f"system:serviceaccount:tidemark-jobs:emr-containers-sa-spark-driver-{ACCOUNT}-x"
    assert "taken" == taken(world, jobs)
    assert "refused" == taken(world, jobs.replace("tidemark-jobs", "default"))
    assert "refused" == taken(world, jobs.replace(ACCOUNT, "999999999999"))
    assert "refused" == taken(world, "system:serviceaccount:tidemark-jobs:default")
    assert "refused" == taken(world, jobs, aud="another")
    assert "refused" == taken(world, jobs, iss=f"{ISSUER}2")
    assert "refused" == taken(world, jobs, role="shop-stream")
    assert "refused" == taken(world, jobs, role="airflow-worker")


def taken(
    world: World, sub: str, *, aud: str = "sts.amazonaws.com", iss: str = ISSUER, role: str = "shop-mirror"
) -> str:
    now = int(time.time())
    claims = {"iss": iss, "sub": sub, "aud": aud, "iat": now, "exp": now + 600}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, claims]
    token = ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "eA"]
    )
    names = {"RoleArn": world.roles[role], "RoleSessionName": "test"}
    return outcome(lambda: world.client("sts").assume_role_with_web_identity(**names, WebIdentityToken=token), "taken")


def test_nobody_takes_a_role_by_asking_for_it(world: World) -> None:
    """Not even the account's owner: trust names services, each with what it has to come from."""
    asked = {role: outcome(partial(world.credentials_by_asking, role)) for role in world.roles}
    assert dict.fromkeys(world.roles, "refused") == asked


def test_a_worker_takes_outcomes_and_no_table(world: World) -> None:
    s3, lake = world.under("airflow-worker", "s3"), f"{NAME}-lake"
    key = "control/_outcomes/shop/one.json"
    world.client("s3").put_object(Bucket=lake, Key=key, Body=b"{}")
    assert "done" == outcome(lambda: s3.get_object(Bucket=lake, Key=key))
    assert "done" == outcome(lambda: s3.delete_object(Bucket=lake, Key=key))
    assert "refused" == outcome(lambda: s3.list_objects_v2(Bucket=lake, Prefix="silver/shop/"))
    assert "refused" == outcome(
        lambda: s3.get_object(Bucket=lake, Key="silver/shop/public.orders/_delta_log/00000000000000000000.json")
    )
    assert "refused" == outcome(lambda: s3.put_object(Bucket=lake, Key="control/marks/x", Body=b""))


def test_dag_files_are_published_by_none_of_airflows_services(world: World, tmp_path: Path) -> None:
    url = f"s3://{NAME}-dags/dags"
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.py").write_text("# a DAG of Airflow")
    owner = Store(url, world.client("s3"))
    version = owner.publish(tmp_path / "in", "one").version
    owner.promote(version)
    for service in ("airflow-dag-processor", "airflow-worker", "airflow-carrier"):
        store = Store(url, world.under(service, "s3"))
        assert version == store.current()
        store.fetch(version, tmp_path / service)
        assert "refused" == outcome(partial(store.publish, tmp_path / "in", "two"))
    assert "refused" == outcome(lambda: Store(url, world.under("shop-mirror", "s3")).current())


def test_secrets_are_read_by_whose_they_are(world: World) -> None:
    manager = world.client("secretsmanager")
    names = ("sources/shop", "sources/billing", "airflow/fernet-key", "airflow/connections/pages")
    for name in names:
        manager.create_secret(Name=f"{NAME}/{name}", SecretString="hidden")

    def reads(role: str) -> set[str]:
        read = world.under(role, "secretsmanager").get_secret_value
        return {name for name in names if outcome(partial(read, SecretId=f"{NAME}/{name}")) == "done"}

    assert {"sources/shop"} == reads("shop-mirror") == reads("shop-stream") == reads("shop-erase")
    assert {"sources/billing"} == reads("billing-mirror")
    assert {"airflow/connections/pages"} == reads("airflow-scheduler") == reads("airflow-worker")
    assert set(names) == reads("airflow-secrets"), "External Secrets, which hands all of them on"
    assert set() == reads("airflow-carrier")


def test_airflow_starts_what_is_its_own_and_hands_over_no_other_role(world: World) -> None:
    """As IAM's own simulator says of the roles' policies: these services are on no AWS that runs here and enforces."""
    roles, application = world.roles, "arn:aws:emr-serverless:eu-central-1:123456789012:/applications/00application"
    start, hand, run = "emr-serverless:StartJobRun", "iam:PassRole", "ecs:RunTask"
    look, end, job = "emr-serverless:GetJobRun", "emr-serverless:CancelJobRun", f"{application}/jobruns/one"
    workers = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{NAME}-worker:1"
    cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{NAME}"
    to_emr, to_ec2 = ({"iam:PassedToService": f"{name}.amazonaws.com"} for name in ("emr-serverless", "ec2"))
    expected: dict[tuple[str, str, str, *tuple[tuple[str, str], ...]], bool] = {
        ("airflow-worker", start, application): True,
        ("airflow-worker", start, f"{application}2"): False,
        ("airflow-scheduler", start, application): False,
        ("airflow-triggerer", start, application): False,
        ("shop-mirror", start, application): False,
        **{(f"airflow-{name}", do, job): True for name in ("worker", "triggerer") for do in (look, end)},
        **{(f"airflow-{name}", do, job): False for name in ("scheduler", "pages") for do in (look, end)},
        ("airflow-worker", hand, roles["shop-mirror"], *to_emr.items()): True,
        ("airflow-worker", hand, roles["shop-gold"], *to_emr.items()): True,
        ("airflow-worker", hand, roles["shop-mirror"], *to_ec2.items()): False,
        ("airflow-worker", hand, roles["shop-erase"], *to_emr.items()): False,
        ("airflow-worker", hand, roles["airflow-pages"], *to_emr.items()): False,
        ("airflow-scaler", run, workers, ("ecs:cluster", cluster)): True,
        ("airflow-scaler", run, workers, ("ecs:cluster", f"{cluster}2")): False,
        ("airflow-scaler", run, workers.replace("worker", "other"), ("ecs:cluster", cluster)): False,
        ("airflow-worker", run, workers, ("ecs:cluster", cluster)): False,
    }
    assert expected == {asked: world.simulated(*asked) for asked in expected}


def test_whoever_runs_what_is_called_when_a_task_fails_may_tell_the_topics(world: World) -> None:
    """A worker does; of a task that Airflow itself has ended, the DAG processor. A topic wants its key besides."""
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}-critical"
    key = world.client("kms").describe_key(KeyId=f"alias/{NAME}-platform")["KeyMetadata"]["Arn"]
    by_sns = ("kms:ViaService", f"sns.{REGION}.amazonaws.com")
    tellers = {f"airflow-{name}" for name in ("worker", "dag-processor", "scheduler", "triggerer", "mwaa")}
    assert tellers == {role for role in world.roles if world.simulated(role, "sns:Publish", topic)}
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert tellers == {role for role in world.roles if world.simulated(role, action, key, by_sns)}


def test_an_airflow_that_aws_runs_may_what_mwaa_asks_for_and_what_its_tasks_do(world: World) -> None:
    """Of its own environment, queue and logs, by the simulator: MWAA is on no AWS that runs here and enforces."""
    own, role = "tidemark-mwaa", "airflow-mwaa"
    key = world.client("kms").describe_key(KeyId=f"alias/{NAME}-platform")["KeyMetadata"]["Arn"]
    environment, group = (
        f"arn:aws:airflow:{REGION}:{ACCOUNT}:environment/{own}",
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group",
    )
    queue, application = (
        f"arn:aws:sqs:{REGION}:999999999999",
        f"arn:aws:emr-serverless:{REGION}:{ACCOUNT}:/applications",
    )
    by_sqs, by_ec2 = (("kms:ViaService", f"{name}.{REGION}.amazonaws.com") for name in ("sqs", "ec2"))
    to_emr = ("iam:PassedToService", "emr-serverless.amazonaws.com")
    erase, mirror = (f"arn:aws:iam::{ACCOUNT}:role/{own}-shop-{name}" for name in ("erase", "mirror"))
    expected: dict[tuple[str, str, *tuple[tuple[str, str], ...]], bool] = {
        ("airflow:PublishMetrics", environment): True,
        ("airflow:PublishMetrics", f"{environment}2"): False,
        ("airflow:CreateWebLoginToken", environment): False,
        ("logs:PutLogEvents", f"{group}:airflow-{own}-Task:log-stream:one"): True,
        ("logs:PutLogEvents", f"{group}:airflow-{NAME}-Task:log-stream:one"): False,
        ("sqs:SendMessage", f"{queue}:airflow-celery-1234"): True,
        ("sqs:SendMessage", f"{queue}:another"): False,
        ("kms:GenerateDataKeyWithoutPlaintext", key, by_sqs): True,
        ("kms:GenerateDataKeyWithoutPlaintext", key, by_ec2): False,
        ("s3:GetBucketVersioning", f"arn:aws:s3:::{NAME}-dags"): True,
        ("s3:GetObjectVersion", f"arn:aws:s3:::{NAME}-dags/mwaa/dags/tidemark_dags.py"): True,
        ("s3:PutObject", f"arn:aws:s3:::{NAME}-dags/mwaa/dags/tidemark_dags.py"): False,
        ("s3:GetObject", f"arn:aws:s3:::{NAME}-lake/silver/shop/public.orders/one.parquet"): False,
        ("emr-serverless:StartJobRun", f"{application}/00application"): True,
        ("emr-serverless:CancelJobRun", f"{application}/00application/jobruns/one"): True,
        ("iam:PassRole", mirror, to_emr): True,
        ("iam:PassRole", erase, to_emr): False,
    }
    assert expected == {asked: world.simulated(role, *asked) for asked in expected}


def test_nobody_of_a_group_does_anything_before_a_second_factor_is_shown(world: World) -> None:
    """With it, what the group may, and no more. How one gets it is not asked: MiniStack refuses to make a device
    where the policy names it."""
    owner, user, another = world.client("iam"), "somebody", "somebody-else"
    for name in (user, another):
        owner.create_user(UserName=name)
        owner.add_user_to_group(GroupName=world.groups["operators"], UserName=name)
    key = owner.create_access_key(UserName=user)["AccessKey"]
    list_code = {"Bucket": f"{NAME}-artefacts"}

    iam, sts = world.client("iam", key), world.client("sts", key)
    assert "refused" == outcome(lambda: world.client("s3", key).list_objects_v2(**list_code))
    assert "refused" == outcome(lambda: iam.list_users())
    assert "refused" == outcome(lambda: iam.create_access_key(UserName=user))
    device = owner.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    digits = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    owner.enable_mfa_device(UserName=user, SerialNumber=device, **digits)

    without = sts.get_session_token()["Credentials"]
    assert "refused" == outcome(lambda: world.client("s3", without).list_objects_v2(**list_code))
    shown = sts.get_session_token(SerialNumber=device, TokenCode="000002")["Credentials"]
    assert "done" == outcome(lambda: world.client("s3", shown).list_objects_v2(**list_code))
    assert "refused" == outcome(lambda: world.client("s3", shown).list_objects_v2(Bucket=f"{NAME}-lake"))


def outcome(ask: Callable[[], Any], good: str = "done") -> str:
    try:
        ask()
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            return "refused"
        return str(error)
    return good
