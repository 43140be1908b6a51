"""What Flink's high availability keeps in Kubernetes, as far as a start has to change it.

Flink keeps the leader, the plan of the job and the pointers to its checkpoints in ConfigMaps. A JobManager that finds
a plan runs that, whatever its own program says: an upgrade would go on as it was. So a start forgets the plan and keeps
the rest; the job is planned anew under the same id, and goes on from the newest checkpoint.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from tidemark_contract.errors import PlatformRefused, PlatformUnavailable

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S = 10.0
_PLANS = ("executionPlan-", "jobGraph-")


@dataclass(frozen=True)
class ConfigMaps:
    """The ConfigMaps of a pod's own namespace, by its service account."""

    server: str
    account: Path

    @classmethod
    def of_pod(cls, environment: Mapping[str, str]) -> "ConfigMaps":
        """Find the API server as every pod does; PlatformRefused outside of one."""
        host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
        if not host or not (ACCOUNT / "token").exists():
            raise PlatformRefused(
                "this is no pod with a service account: a JobManager needs one that may use ConfigMaps"
            )
        return cls(f"https://{f'[{host}]' if ':' in host else host}:{port}", ACCOUNT)

    @property
    def namespace(self) -> str:
        """The namespace they are in."""
        return (self.account / "namespace").read_text(encoding="utf-8").strip()

    def forget_plans(self, cluster: str) -> list[str]:
        """Remove the plans of a cluster's jobs; give their names. The rest of the ConfigMap may change meanwhile."""
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/{cluster}-cluster-config-map"
        data = (self._send("GET", path) or {}).get("data") or {}
        if plans := [name for name in data if name.startswith(_PLANS)]:
            self._send("PATCH", path, {"data": dict.fromkeys(plans)})
        return plans

    def _send(self, method: str, path: str, body: object = None) -> Any:
        token = (self.account / "token").read_text(encoding="utf-8").strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"}
        content = None if body is None else json.dumps(body).encode()
        trust = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
        try:
            with opener.open(
                Request(self.server + path, content, headers, method=method), timeout=_TIMEOUT_S
            ) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            if error.code == 404:
                return None
            kind = PlatformUnavailable if error.code >= 500 or error.code == 429 else PlatformRefused
            raise kind(f"{method} {path}: Kubernetes says {error.code}: {error.read().decode()[:300]}") from error
        except (URLError, OSError) as error:
            raise PlatformUnavailable(f"{self.server} does not answer: {error}") from error
