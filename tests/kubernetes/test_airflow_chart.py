"""What each template of the chart airflow promises."""

import json
import subprocess
from typing import Any

import pytest
import yaml

from tests.kubernetes.charts import CHARTS, Rendered, refusal, render
from tests.kubernetes.cluster import ROOT

CELERY: dict[str, Any] = {"executor": "CeleryExecutor", "worker": {"keda": {"enabled": True}}}
POOLED: dict[str, Any] = {"pgbouncer": {"enabled": True}}
STARTING: dict[str, Any] = {"tasks": {"startIn": ["jobs"], "jobTemplate": "sync-job"}}
SERVICES = ("api-server", "execution", "scheduler", "dag-processor", "triggerer")
COMPOSE = ROOT / "infra" / "compose" / "compose.yaml"
PYTHON = ROOT / ".tidemark" / "venv" / "airflow" / "bin" / "python"
DATABASE = "database-password"


def airflow(values: dict[str, Any] | None = None) -> Rendered:
    return render("airflow", values, name="airflow")


def pod(rendered: Rendered, service: str) -> dict[str, Any]:
    """The spec of a service's pods, or of a task's, or of `prepare`."""
    if service == "task":
        text = rendered.of("ConfigMap", "-pods")["data"]["task.yaml"]
        return dict(yaml.safe_load(text)["spec"])
    kind = "Job" if service == "prepare" else "Deployment"
    return dict(rendered.of(kind, f"airflow-{service}")["spec"]["template"]["spec"])


def container(rendered: Rendered, service: str) -> dict[str, Any]:
    [found] = pod(rendered, service)["containers"]
    return dict(found)


def environment(rendered: Rendered, service: str) -> dict[str, str]:
    return {each["name"]: str(each["value"]) for each in container(rendered, service)["env"]}


def known(rendered: Rendered, service: str) -> list[str]:
    """The keys of the Secret that are mounted."""
    volumes = [volume["secret"] for volume in pod(rendered, service)["volumes"] if "secret" in volume]
    return sorted(item["path"] for volume in volumes for item in volume["items"])


def policy(rendered: Rendered, service: str) -> dict[str, Any]:
    return dict(rendered.of("NetworkPolicy", f"airflow-{service}")["spec"])


def ports(rules: list[dict[str, Any]]) -> set[int]:
    return {int(port["port"]) for rule in rules for port in rule["ports"]}


@pytest.mark.parametrize("service", [*SERVICES, "worker", "prepare"])
def test_a_service_knows_the_secrets_that_it_knows_in_compose(service: str) -> None:
    named = {"prepare": "init"}
    in_compose = yaml.safe_load(COMPOSE.read_text())["services"][named.get(service, service)]["secrets"]

    assert sorted(in_compose) == known(airflow(CELERY), service)


@pytest.mark.parametrize("service", [*SERVICES, "worker"])
def test_a_service_runs_the_command_that_it_runs_in_compose(service: str) -> None:
    in_compose = yaml.safe_load(COMPOSE.read_text())["services"][service]

    assert in_compose["command"] == container(airflow(CELERY), service)["args"]


@pytest.mark.parametrize("service", [*SERVICES, "worker"])
def test_a_probe_reads_the_answer_that_compose_reads(service: str) -> None:
    kind, *words = yaml.safe_load(COMPOSE.read_text())["services"][service]["healthcheck"]["test"]
    asked = [*(["sh", "-c"] if kind == "CMD-SHELL" else []), *(word.replace("$$", "$") for word in words)]
    found = container(airflow(CELERY), service)
    probes = {found[name]["exec"]["command"][-1] for name in ("startupProbe", "livenessProbe")}

    if service == "api-server":
        # It is not started again because a scheduler is dead.
        asked = asked[: asked.index("metadatabase") + 1]
    assert asked == found["livenessProbe"]["exec"]["command"] == found["startupProbe"]["exec"]["command"]
    assert 1 == len(probes)
    assert found["livenessProbe"]["timeoutSeconds"] >= 60
    assert ("readinessProbe" in found) == (service in ("api-server", "execution"))


@pytest.mark.parametrize(("values", "service"), [({}, "task"), (CELERY, "worker")])
def test_who_runs_tasks_knows_no_database_and_no_key(values: dict[str, Any], service: str) -> None:
    rendered = airflow({**values, **POOLED})
    told = environment(rendered, service)

    assert not [name for name in told if "SQL_ALCHEMY" in name or "FERNET" in name or "JWT" in name]
    assert not {DATABASE, "fernet-key", "jwt-secret"} & set(known(rendered, service))
    assert "http://airflow-execution:8080/execution/" == told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    assert not ports(policy(rendered, service)["egress"]) & {5432, 6432}


def test_only_who_needs_the_database_reaches_it_and_through_pgbouncer() -> None:
    rendered = airflow(POOLED)
    reached = policy(rendered, "pgbouncer")["ingress"]
    from_whom = {rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for rule in reached}
    direct = {
        name for name in (*SERVICES, "task", "prepare", "pgbouncer") if 5432 in ports(policy(rendered, name)["egress"])
    }

    assert set(SERVICES) == from_whom
    assert {"prepare", "pgbouncer"} == direct


def test_tasks_talk_to_an_api_server_that_nobody_else_reaches() -> None:
    rendered = airflow()
    [rule] = policy(rendered, "execution")["ingress"]

    assert "task" == rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
    assert [] == policy(rendered, "api-server")["ingress"]
    assert [] == policy(rendered, "task")["ingress"]


def test_the_pages_are_reached_by_whom_the_values_name_and_read_logs_where_they_are() -> None:
    ingress = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    rendered = airflow({**CELERY, "networkPolicy": {"pagesFrom": ingress}})

    assert [{"from": ingress, "ports": [{"port": 8080, "protocol": "TCP"}]}] == policy(rendered, "api-server")[
        "ingress"
    ]
    for service, port in (("worker", 8793), ("triggerer", 8794)):
        [rule] = policy(rendered, service)["ingress"]
        assert "api-server" == rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        assert {port} == ports([rule])


def test_the_database_is_prepared_before_the_pods_are_there_or_replaced() -> None:
    """A hook after the installation would be waited for by pods that `--wait` waits for."""
    rendered = airflow({"externalSecret": {"enabled": True, "database": "rds"}})
    before = {
        (document["kind"], document["metadata"]["name"]): int(notes["helm.sh/hook-weight"])
        for document in rendered.documents
        if "pre-install,pre-upgrade" == (notes := document["metadata"].get("annotations", {})).get("helm.sh/hook")
    }
    order = ["ExternalSecret", "NetworkPolicy", "ServiceAccount", "Job"]

    assert {kind for kind, _ in before} == set(order)
    assert max(weight for (kind, _), weight in before.items() if kind != "Job") < before["Job", "airflow-prepare"]
    assert ["python", "-m", "tidemark_orchestration.prepare"] == container(rendered, "prepare")["args"]
    assert "airflow-prepare" == pod(rendered, "prepare")["serviceAccountName"]


def test_the_migrations_lock_is_not_taken_through_pgbouncer() -> None:
    """It is a session's: with PgBouncer the session is whoever's comes next."""
    rendered = airflow({**POOLED, "database": {"host": "db.internal", "sslmode": "require"}})
    name = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"

    assert "@db.internal:5432/airflow " in environment(rendered, "prepare")[name]
    assert "@airflow-pgbouncer:6432/airflow " in environment(rendered, "scheduler")[name]
    assert "require" == environment(rendered, "pgbouncer")["DATABASE_SSLMODE"]


@pytest.mark.parametrize("service", ["scheduler", "execution", "api-server"])
def test_two_of_a_kind_are_on_two_nodes_and_one_stays_when_a_node_is_drained(service: str) -> None:
    rendered = airflow({"spread": "DoNotSchedule", **{name: {"replicas": 2} for name in ("execution", "apiServer")}})
    [spread] = pod(rendered, service)["topologySpreadConstraints"]
    labels = {"app.kubernetes.io/name": "airflow", "app.kubernetes.io/instance": "airflow"}

    assert 2 == rendered.of("Deployment", service)["spec"]["replicas"]
    assert ("kubernetes.io/hostname", "DoNotSchedule") == (spread["topologyKey"], spread["whenUnsatisfiable"])
    assert {**labels, "app.kubernetes.io/component": service} == spread["labelSelector"]["matchLabels"]
    budget = rendered.of("PodDisruptionBudget", service)["spec"]
    assert (1, spread["labelSelector"]) == (budget["maxUnavailable"], budget["selector"])


def test_there_are_two_schedulers_also_on_a_laptop() -> None:
    assert 2 == airflow().of("Deployment", "scheduler")["spec"]["replicas"]


def test_a_worker_has_time_to_end_what_it_runs() -> None:
    values = {**CELERY, "worker": {"terminationGracePeriodSeconds": 7200}}

    assert 7200 == pod(airflow(values), "worker")["terminationGracePeriodSeconds"]
    assert 60 == pod(airflow(values), "scheduler")["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("concurrency", [1, 4, 7])
def test_keda_wants_a_worker_for_each_so_many_tasks(concurrency: int) -> None:
    rendered = airflow({**CELERY, "worker": {"concurrency": concurrency, "most": 9, "keda": {"enabled": True}}})
    spec = rendered.of("ScaledObject")["spec"]
    [trigger] = spec["triggers"]

    assert ({"name": "airflow-worker"}, 1, 9) == (
        spec["scaleTargetRef"],
        spec["minReplicaCount"],
        spec["maxReplicaCount"],
    )
    assert "1" == trigger["metadata"]["targetQueryValue"]
    assert f"ceil(count(*)::decimal / {concurrency})" in trigger["metadata"]["query"]
    assert str(concurrency) == environment(rendered, "worker")["AIRFLOW__CELERY__WORKER_CONCURRENCY"]
    # Who scales it says how many there are: an upgrade would set it back.
    assert "replicas" not in rendered.of("Deployment", "airflow-worker")["spec"]
    [key] = rendered.of("TriggerAuthentication")["spec"]["secretTargetRef"]
    assert {"parameter": "password", "name": "airflow", "key": DATABASE} == key


def test_without_keda_there_are_as_many_workers_as_are_said() -> None:
    rendered = airflow({"executor": "CeleryExecutor", "worker": {"least": 3}})

    assert 3 == rendered.of("Deployment", "airflow-worker")["spec"]["replicas"]
    assert not {"ScaledObject", "TriggerAuthentication"} & rendered.kinds()
    assert "172800" == environment(rendered, "worker")["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]


def test_with_the_kubernetes_executor_there_is_neither_worker_nor_queue() -> None:
    rendered = airflow()

    assert not [d for d in rendered.documents if d["kind"] == "Deployment" and d["metadata"]["name"].endswith("worker")]
    assert "queue-password" not in known(rendered, "scheduler")
    assert 6379 not in ports(policy(rendered, "scheduler")["egress"])
    mounted = {mount["name"]: mount["mountPath"] for mount in container(rendered, "scheduler")["volumeMounts"]}
    template = environment(rendered, "scheduler")["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"]
    assert f"{mounted['pods']}/task.yaml" == template


MAKE = """
import json, sys
from kubernetes.client import ApiClient
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
template = PodGenerator.deserialize_model_file(sys.argv[1])
made = PodGenerator.construct_pod(
    dag_id="sync_shop", task_id="sync", pod_id="sync-shop-sync-1", try_number=1, date=None, kube_image=None,
    args=["python", "-m", "airflow.sdk.execution_time.execute_workload", "--json-string", "{}"], namespace="airflow",
    scheduler_job_id="7", pod_override_object=None, base_worker_pod=template, map_index=-1, run_id="r")
print(json.dumps(ApiClient().sanitize_for_serialization(made)))
"""


@pytest.mark.slow
def test_the_executor_makes_a_pod_of_the_template_that_a_cluster_takes(tmp_path: Any) -> None:
    """By Airflow's own code: what it adds is added, and what it does not know of stays."""
    rendered = airflow()
    template = tmp_path / "task.yaml"
    template.write_text(rendered.of("ConfigMap", "-pods")["data"]["task.yaml"])
    argv = [str(PYTHON), "-W", "ignore", "-c", MAKE, str(template)]
    made = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path).stdout)
    [task] = made["spec"]["containers"]

    assert "" == refusal(made)
    assert "execute_workload" in task["args"][2]
    assert {"name": "AIRFLOW_IS_K8S_EXECUTOR_POD", "value": "True"} in task["env"]
    assert [each["name"] for each in container(rendered, "task")["env"]] <= [each["name"] for each in task["env"]]
    assert ("tidemark-airflow:local", "Never") == (task["image"], made["spec"]["restartPolicy"])
    assert "task" == made["metadata"]["labels"]["app.kubernetes.io/component"]
    assert "true" == made["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"]


@pytest.mark.parametrize("values", [{}, CELERY, {**POOLED, **STARTING}, {**CELERY, **STARTING}])
def test_only_who_may_ask_kubernetes_has_a_token_for_it(values: dict[str, Any]) -> None:
    rendered = airflow(values)
    bound = {s["name"] for d in rendered.documents if d["kind"] == "RoleBinding" for s in d["subjects"]}
    services = [d["metadata"]["name"].removeprefix("airflow-") for d in rendered.documents if d["kind"] == "Deployment"]
    pods = [pod(rendered, name) for name in (*services, *(() if "executor" in values else ("task",)))]

    assert len(pods) >= 6
    for each in pods:
        assert each["automountServiceAccountToken"] == (each["serviceAccountName"] in bound)
        account = rendered.of("ServiceAccount", each["serviceAccountName"])
        assert account["automountServiceAccountToken"] is False


def test_tasks_start_pods_in_the_namespaces_that_are_named_and_nowhere_else() -> None:
    roles = [document for document in airflow(STARTING).documents if document["kind"] == "Role"]
    creating = {
        (role["metadata"]["name"], role["metadata"].get("namespace"))
        for role in roles
        for rule in role["rules"]
        if "create" in rule["verbs"]
    }

    assert {("airflow-scheduler", None), ("airflow-tasks", "jobs")} == creating
    assert not [role for role in roles for rule in role["rules"] if {"secrets", "pods/exec"} & set(rule["resources"])]


@pytest.mark.parametrize(
    ("values", "service"), [(STARTING, "task"), ({**CELERY, **STARTING}, "worker"), (STARTING, "triggerer")]
)
def test_who_starts_jobs_knows_what_they_look_like(values: dict[str, Any], service: str) -> None:
    rendered = airflow(values)
    told = environment(rendered, service)
    mounted = {mount["name"]: mount["mountPath"] for mount in container(rendered, service)["volumeMounts"]}

    assert ("kubernetes", f"{mounted['jobs']}/job.yaml") == (
        told["TIDEMARK_LAUNCHER"],
        told["TIDEMARK_KUBERNETES_TEMPLATE"],
    )
    assert {"name": "jobs", "configMap": {"name": "sync-job"}} in pod(rendered, service)["volumes"]
    assert "TIDEMARK_LAUNCHER" not in environment(rendered, "scheduler")


def test_accounts_are_called_as_the_roles_on_aws() -> None:
    """infra/terraform gives a role to the account of that name, in the namespace airflow."""
    file = ROOT / "infra/terraform/modules/workloads/services.yaml"
    roles = {f"airflow-{service}" for service in yaml.safe_load(file.read_text())}
    for values in ({}, CELERY):
        accounts = {d["metadata"]["name"] for d in airflow(values).documents if d["kind"] == "ServiceAccount"}
        assert accounts <= roles


def test_an_account_may_be_given_a_role_of_the_cloud() -> None:
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/worker"}
    rendered = airflow({"serviceAccounts": {"worker": role}})

    assert role == rendered.of("ServiceAccount", "airflow-worker")["metadata"]["annotations"]
    assert "annotations" not in rendered.of("ServiceAccount", "airflow-pages")["metadata"]


@pytest.mark.parametrize("values", [{}, CELERY])
def test_an_external_secret_has_every_key_that_a_pod_mounts(values: dict[str, Any]) -> None:
    external = {"enabled": True, "prefix": "tidemark-dev/airflow", "database": "rds!db-1"}
    rendered = airflow({**values, "externalSecret": external})
    spec = rendered.of("ExternalSecret")["spec"]
    keys = {each["secretKey"]: each["remoteRef"] for each in spec["data"]}
    services = [*SERVICES, "prepare", "worker" if values else "task"]

    assert {key for service in services for key in known(rendered, service)} == set(keys)
    assert {"key": "rds!db-1", "property": "password"} == keys[DATABASE]
    assert {"key": "tidemark-dev/airflow/fernet-key"} == keys["fernet-key"]
    # The hook is made anew with each upgrade; the Secret must not go with the old one.
    assert {"name": "airflow", "creationPolicy": "Orphan"} == spec["target"]


def test_its_services_lead_to_the_pods_of_that_name() -> None:
    rendered = airflow(POOLED)
    for name, port in (("api-server", 8080), ("execution", 8080), ("pgbouncer", 6432)):
        service = rendered.of("Service", name)["spec"]
        assert name == service["selector"]["app.kubernetes.io/component"]
        assert [{"port": port, "targetPort": port}] == service["ports"]
        assert port == container(rendered, name)["ports"][0]["containerPort"]


def test_pgbouncer_keeps_what_it_writes_in_memory() -> None:
    volumes = {volume["name"]: volume for volume in pod(airflow(POOLED), "pgbouncer")["volumes"]}

    assert "Memory" == volumes["tmp"]["emptyDir"]["medium"]
    assert {"tmp", "secrets"} == set(volumes)


def test_every_service_of_the_table_has_a_policy_of_its_own() -> None:
    table = set(yaml.safe_load((CHARTS / "airflow" / "services.yaml").read_text()))
    policies = [airflow({**values, **POOLED}).documents for values in ({}, CELERY)]
    names = {d["metadata"]["name"] for documents in policies for d in documents if d["kind"] == "NetworkPolicy"}

    assert {f"airflow-{service}" for service in table} == names
