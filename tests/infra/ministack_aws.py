"""MiniStack as AWS, with what Terraform's provider and our tests find missing; `python -m … PORT`."""

import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit


def mend() -> None:
    """Add what is missing, and nothing else: no answer that is there is changed."""
    from ministack import app
    from ministack.core import iam_evaluator
    from ministack.services import eks, elasticache, iam, mwaa, sts

    _answer_as_a_proxy(app)
    _take_subnets_of_the_other(elasticache)
    _keep_the_key_of_a_queue(elasticache)
    _keep_what_is_given(eks)
    _keep_what_an_airflow_is_given(mwaa)
    _simulate_with_its_context(iam, iam_evaluator)
    _know_the_second_factor(iam, sts, iam_evaluator)


def _answer_as_a_proxy(app: Any) -> None:
    """A target may be a whole address (RFC 9112, 3.2.2), as it is for who comes through a proxy: its path counts."""
    answer = app.app

    async def by_path(scope: Any, receive: Any, send: Any) -> None:
        whole = not scope.get("path", "/").startswith("/")
        paths = {name: urlsplit(scope[name]).path for name in ("path", "raw_path") if whole}
        await answer({**scope, **paths}, receive, send)

    app.app = by_path


def _keep_what_an_airflow_is_given(mwaa: Any) -> None:
    """An environment tells its key, its maintenance and its files: without its key it would be made anew."""
    create = mwaa._create_environment
    files = [f"{file}S3{fact}" for file in ("Requirements", "StartupScript") for fact in ("Path", "ObjectVersion")]

    def keep(method: Any, path: str, headers: Any, body: Any, query: Any) -> Any:
        answer = create(method, path, headers, body, query)
        if environment := mwaa._environments.get(path.rpartition("/")[2]):
            given = json.loads(body)
            environment |= {
                name: given[name] for name in ("KmsKey", "WeeklyMaintenanceWindowStart", *files) if name in given
            }
        return answer

    mwaa._create_environment = keep


def _keep_what_is_given(eks: Any) -> None:
    """An issuer of EKS is https, as IAM wants it, and what a cluster and its nodes were given stays with them."""
    eks._ministack_issuer_base = lambda: f"https://oidc.eks.{os.environ['MINISTACK_REGION']}.amazonaws.com"
    create_cluster, create_nodes = eks._create_cluster, eks._create_nodegroup

    def keep_policy(body: Any, creator_arn: Any = None) -> Any:
        answer = create_cluster(body, creator_arn)
        if (cluster := eks._clusters.get(body.get("name"))) and "upgradePolicy" in body:
            cluster["upgradePolicy"] = body["upgradePolicy"]
        return answer

    def keep_template(cluster_name: str, body: Any) -> Any:
        answer = create_nodes(cluster_name, body)
        if nodes := eks._nodegroups.get(f"{cluster_name}/{body.get('nodegroupName')}"):
            nodes |= {name: body[name] for name in ("launchTemplate", "updateConfig") if name in body}
        return answer

    eks._create_cluster, eks._create_nodegroup = keep_policy, keep_template


def _take_subnets_of_the_other(elasticache: Any) -> None:
    """A subnet is what it is called: the network is on the other AWS, and not known here."""

    def resolve(asked: Any) -> Any:
        names = elasticache._extract_configs(asked, "SubnetIds", ("SubnetIdentifier", "member"))
        zone = f"{os.environ['MINISTACK_REGION']}a"
        return [{"SubnetIdentifier": name, "SubnetAvailabilityZone": {"Name": zone}} for name in names], "vpc-elsewhere"

    elasticache._resolve_subnets = resolve


def _keep_the_key_of_a_queue(elasticache: Any) -> None:
    """A replication group tells by which key it is encrypted: by none, it would be made anew."""
    create, tell, keys = elasticache._create_replication_group, elasticache._rg_xml, dict[str, str]()

    def keep(asked: Any) -> Any:
        if key := elasticache._p(asked, "KmsKeyId"):
            keys[elasticache._p(asked, "ReplicationGroupId")] = key
        return create(asked)

    def with_key(group: Any) -> str:
        key = keys.get(group["ReplicationGroupId"])
        return f"{tell(group)}{f'<KmsKeyId>{key}</KmsKeyId>' if key else ''}"

    elasticache._create_replication_group, elasticache._rg_xml = keep, with_key


def _simulate_with_its_context(iam: Any, evaluator: Any) -> None:
    """A simulation knows what it was told of its context: without it no statement with a condition ever allows."""
    simulate, evaluate = iam._simulate_principal_policy, evaluator.evaluate

    def with_context(asked: Any) -> Any:
        def told(context: Any, policies: Any) -> Any:
            context.service_context |= dict(_context(lambda name: iam._p(asked, name)))
            return evaluate(context, policies)

        evaluator.evaluate = told
        try:
            return simulate(asked)
        finally:
            evaluator.evaluate = evaluate

    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = with_context


def _know_the_second_factor(iam: Any, sts: Any, evaluator: Any) -> None:
    """A session that was asked for with a device of the user's own has shown it; its six digits are not looked at."""
    answer, principal_keys = sts.handle_request, evaluator._principal_keys
    shown: set[str] = set()

    async def note(method: Any, path: Any, headers: Any, body: Any, query: Any) -> Any:
        answered = await answer(method, path, headers, body, query)
        asked = {name: values[0] for name, values in parse_qs(body.decode() if body else "").items()}
        made = re.search(rb"<AccessKeyId>(.+?)</AccessKeyId>", answered[2])
        if asked.get("Action") == "GetSessionToken" and made and asked.get("TokenCode"):
            key = made[1].decode()
            device = iam._mfa_devices.get(asked.get("SerialNumber"))
            if device and device["User"] == sts._sessions[key]["PrincipalName"]:
                shown.add(key)
        return answered

    def keys(credential: Any) -> Any:
        known = principal_keys(credential)
        return known | ({"aws:multifactorauthpresent": "true"} if credential.access_key_id in shown else {})

    sts.handle_request, evaluator._principal_keys = note, keys


def _context(asked: Callable[[str], str]) -> list[tuple[str, str]]:
    entries = [f"ContextEntries.member.{number}" for number in range(1, 10)]
    return [
        (asked(f"{entry}.ContextKeyName").lower(), asked(f"{entry}.ContextKeyValues.member.1"))
        for entry in entries
        if asked(f"{entry}.ContextKeyName")
    ]


if __name__ == "__main__":
    os.environ["GATEWAY_PORT"] = sys.argv[1]
    mend()
    from ministack.app import main

    sys.argv[1:] = []
    main()
