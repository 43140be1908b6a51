"""A DAG whose tasks are pods: `here` by the executor, `there` by the KubernetesPodOperator, which has one more."""

import os
import socket
from datetime import UTC, datetime
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG, BaseOperator
from kubernetes.client import models


class Here(BaseOperator):
    """Give the name of the pod, and fail if it was told where the database is."""

    def execute(self, context: Any) -> str:
        told = [name for name in os.environ if name.startswith("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_")]
        assert not told, told
        assert not os.path.exists("/etc/tidemark/secrets/database-password")
        return socket.gethostname()


with DAG("pods", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    there = KubernetesPodOperator(
        task_id="there",
        image=os.environ["TIDEMARK_TEST_IMAGE"],
        image_pull_policy="Never",
        cmds=["python", "-c", "print('nobody is here')"],
        namespace=os.environ["TIDEMARK_TEST_NAMESPACE"],
        in_cluster=True,
        on_finish_action="keep_pod",
        automount_service_account_token=False,
        security_context=models.V1PodSecurityContext(
            run_as_non_root=True, seccomp_profile=models.V1SeccompProfile(type="RuntimeDefault")
        ),
        container_security_context=models.V1SecurityContext(
            allow_privilege_escalation=False, capabilities=models.V1Capabilities(drop=["ALL"])
        ),
    )
    Here(task_id="here") >> there
