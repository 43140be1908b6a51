"""A Kubernetes to try things on: the one of KUBECONFIG, or one that a kit brings up on this machine.

A kit is a script that knows `up` and `load IMAGE…`; TIDEMARK_KUBERNETES_KIT names it. A cluster of KUBECONFIG takes
images by the command in TIDEMARK_KUBERNETES_LOAD (`kind load docker-image`), or has them.
"""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidemark-kubernetes"
PATIENCE_S = 900.0


def kit() -> Path | None:
    """Find the script that brings a cluster up, where there is one and what it starts has been built."""
    script = Path(os.environ.get("TIDEMARK_KUBERNETES_KIT") or ROOT.parent / "shared" / "kubernetes" / "cluster.sh")
    built = all((CACHE / "bin" / name).exists() for name in ("hyperkube", "coredns"))
    return script if script.exists() and built else None


def missing() -> str:
    """Say why there is no cluster; nothing if there is."""
    if os.environ.get("KUBECONFIG") or kit():
        return ""
    return (
        "no Kubernetes: KUBECONFIG names none, and TIDEMARK_KUBERNETES_KIT no script whose binaries are in "
        f"{CACHE / 'bin'}"
    )


@dataclass(frozen=True)
class Cluster:
    """A cluster, seen through kubectl from one namespace of it."""

    kubeconfig: str
    loading: tuple[str, ...]
    namespace: str = "default"

    @classmethod
    def find(cls) -> "Cluster":
        """Bring it up where it is not."""
        if given := os.environ.get("KUBECONFIG"):
            return cls(given, tuple(shlex.split(os.environ.get("TIDEMARK_KUBERNETES_LOAD", ""))))
        script = kit()
        assert script, missing()
        _name_server()
        subprocess.run(["bash", str(script), "up"], check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
        return cls(str(CACHE / "run" / "admin.conf"), ("bash", str(script), "load"))

    def within(self, namespace: str) -> "Cluster":
        return Cluster(self.kubeconfig, self.loading, namespace)

    def load(self, *images: str) -> None:
        """Give it images of the local Docker engine."""
        for image in images if self.loading else ():
            subprocess.run([*self.loading, image], check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)

    def kubectl(self, *words: str, content: str = "", check: bool = True, timeout: float = PATIENCE_S) -> str:
        argv = ["kubectl", "--kubeconfig", self.kubeconfig, "--namespace", self.namespace, *words]
        ended = subprocess.run(argv, input=content, capture_output=True, text=True, timeout=timeout, check=False)
        assert not check or ended.returncode == 0, f"kubectl {' '.join(words)}: {ended.stderr}{ended.stdout}"
        return ended.stdout

    def apply(self, *documents: Mapping[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", content=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))

    def get(self, *words: str) -> Any:
        """Read something; an API server that has too much to do is asked again."""
        read = lambda: self.kubectl("get", *words, "-o", "json", check=False)  # noqa: E731
        return json.loads(wait_for(read, f"an answer to get {' '.join(words)}", lambda: "", within_s=120))

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Give those that are not being deleted, the youngest last."""
        found = [pod for pod in self.get("pods", "-l", selector)["items"] if "deletionTimestamp" not in pod["metadata"]]
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def kill(self, selector: str) -> str:
        """End a pod as the loss of its node does, and say which."""
        name = str(self.pods(selector)[-1]["metadata"]["name"])
        self.kubectl("delete", "pod", name, "--grace-period=0", "--force")
        return name

    def finished(self, job: str) -> str:
        """Wait for the end of a Job; give what its last pod wrote, and fail if it failed."""
        wait_for(lambda: self._conditions(job), f"the end of {job}", self.told)
        said = self.kubectl("logs", f"job/{job}", "--tail=-1")
        assert "Complete" in self._conditions(job), f"{job} failed: {said[-3000:]}"
        return said

    def _conditions(self, job: str) -> set[str]:
        conditions = self.get("job", job)["status"].get("conditions", [])
        return {str(each["type"]) for each in conditions if each["status"] == "True"} & {"Complete", "Failed"}

    def told(self) -> str:
        """Give what a person would look at; of all namespaces, for they share the node."""
        pods = self.kubectl("get", "pods", "--all-namespaces", "-o", "wide", check=False)
        # Not by lastTimestamp: events of the scheduler have none.
        events = self.kubectl("get", "events", "--sort-by=.metadata.creationTimestamp", check=False).splitlines()[-20:]
        return "\n".join([pods, *events])


def _name_server() -> None:
    """Make the image that a kit starts CoreDNS from: its own build wants a folder that an archive of it may lack."""
    if not subprocess.run(["docker", "image", "inspect", "coredns:local"], capture_output=True, check=False).returncode:
        return
    with subprocess.Popen(["tar", "-C", CACHE / "bin", "-c", "coredns"], stdout=subprocess.PIPE) as packed:
        words = ["docker", "import", "--change", 'ENTRYPOINT ["/coredns"]', "-", "coredns:local"]
        subprocess.run(words, stdin=packed.stdout, check=True, capture_output=True, timeout=PATIENCE_S)


def wait_for(ask: Callable[[], Found], what: str, told: Callable[[], str], within_s: float = PATIENCE_S) -> Found:
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + within_s
    while not (found := ask()):
        assert time.monotonic() < deadline, f"{what} did not come in {within_s:.0f} s\n{told()}"
        time.sleep(1)
    return found


def images(*names: str) -> Sequence[str]:
    """Build our images; one that is as it was takes no time."""
    tags = [f"tidemark-{name}:test" for name in names]
    for name, tag in zip(names, tags, strict=True):
        subprocess.run(["infra/images/build.sh", name, tag], cwd=ROOT, check=True, timeout=2 * PATIENCE_S)
    return tags
