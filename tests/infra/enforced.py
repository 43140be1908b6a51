"""An AWS that enforces policies, and our roles in it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.infra.emulators import REGION, Aws
from tests.infra.terraform import REPOSITORY

NAME, ACCOUNT = "tidemark-iam", "123456789012"
SPARK = REPOSITORY / ".tidemark/venv/spark/bin/python"
OWNER = {"AccessKeyId": ACCOUNT, "SecretAccessKey": "test"}


@dataclass(frozen=True)
class World:
    """An AWS that enforces policies, with the roles of two sources and of Airflow, and groups of people."""

    aws: Aws
    roles: dict[str, str]
    groups: dict[str, str]

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        keys = credentials or OWNER
        return boto3.client(
            service,
            REGION,
            endpoint_url=self.aws.endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    def credentials(self, role: str) -> dict[str, str]:
        """Take a role by a door of ours: who may take it is asked elsewhere."""
        ours = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [ours]})
        name, iam = self.roles[role].rpartition("/")[2], self.client("iam")
        before = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy)
        taken = self.credentials_by_asking(role)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(before))
        return taken

    def credentials_by_asking(self, role: str) -> dict[str, str]:
        """Ask for a role as the account's owner, with nothing else to show."""
        asked = self.client("sts").assume_role(RoleArn=self.roles[role], RoleSessionName="test")
        return dict(asked["Credentials"])

    def simulated(self, role: str, action: str, resource: str, *context: tuple[str, str]) -> bool:
        """Ask IAM's simulator whether a role may."""
        facts = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"} for key, value in context
        ]
        answer = self.client("iam").simulate_principal_policy(
            PolicySourceArn=self.roles[role], ActionNames=[action], ResourceArns=[resource], ContextEntries=facts
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")

    def under(self, role: str, service: str) -> Any:
        return self.client(service, self.credentials(role))

    def done(self, role: str | None, source: str, deeds: list[str]) -> dict[str, str]:
        """Do deeds of jobs under a role, or as the account's owner; say what became of each."""
        told = dict(self.aws.environment)
        if role:
            keys = self.credentials(role)
            told |= {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}
            told["AWS_SESSION_TOKEN"] = keys["SessionToken"]
        parts = [str(REPOSITORY / part / "src") for part in ("contract", "source", "jobs", "streaming")]
        command: list[str | Path] = [
            SPARK,
            "-m",
            "tests.infra.deeds",
            f"s3://{NAME}-lake",
            f"s3://{NAME}-checkpoints",
            source,
            *deeds,
        ]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env={**told, "PYTHONPATH": os.pathsep.join(parts)},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(json.loads(done.stdout))
