"""Two AWS on loopback, each a process: moto's server with few calls added, and MiniStack. Neither does all of it."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

REGION = "eu-central-1"
# Whoever asks for them may be of another environment.
PYTHON = Path(__file__).parents[2] / ".tidemark" / "venv" / "infra" / "bin" / "python"
START_S = 300.0  # an emulator imports for half a minute, and for minutes where much else runs
# The first of an access key's twelve digits is the account: both take it so.
KEYS = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "test"}
# No containers: what AWS would run is not what is tested here.
QUIET = {"DOCKER_HOST": "unix:///nowhere.sock", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}


# What MiniStack has more of than moto, by the name that AWS_ENDPOINT_URL_… wants.
ELSEWHERE = ("ELASTICACHE", "EKS", "MWAA", "SNS", "EVENTBRIDGE")


@dataclass(frozen=True)
class Aws:
    """Where AWS is, one address for most services and others for some of them."""

    endpoint: str
    others: Mapping[str, str]

    @classmethod
    def of_both(cls, moto: str, ministack: str) -> "Aws":
        """Ask each for what it has more of."""
        return cls(moto, dict.fromkeys(ELSEWHERE, ministack))

    @property
    def environment(self) -> dict[str, str]:
        """What a process is told; the machine's own AWS_* must not shine through."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        known = {f"AWS_ENDPOINT_URL_{service}": url for service, url in self.others.items()}
        # Three attempts: by default a call that an emulator does not know is made 25 times, for minutes.
        return {
            **clean, **KEYS, **known, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.endpoint, "AWS_MAX_ATTEMPTS": "3",
            "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    @property
    def mwaa(self) -> dict[str, str]:
        """What Terraform is told besides, to make an MWAA: it asks at api.<host>, and no address has such a host.

        So the host has a name that is nowhere, and MiniStack is the proxy on the way there; to loopback Go takes none.
        """
        nowhere = "http://mwaa.invalid"
        return {"AWS_ENDPOINT_URL_MWAA": nowhere, "HTTP_PROXY": self.others["MWAA"], "NO_PROXY": "127.0.0.1"}


@contextmanager
def moto(folder: Path, host: str = "127.0.0.1", **told: str) -> Iterator[str]:
    """Run moto's server; give its address."""
    settings = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EKS_ALLOW_DELETING": "true", **told}
    with _running(folder / "moto.log", "tests.infra.moto_aws", settings, "/moto-api/data.json", host) as address:
        yield address


@contextmanager
def ministack(folder: Path, *, enforce: bool = False) -> Iterator[str]:
    """Run MiniStack, which with `enforce` refuses what policies do not allow; give its address."""
    settings = {**QUIET, "AUTH": str(enforce).lower(), "BIND_HOST": "127.0.0.1", "MINISTACK_REGION": REGION}
    with _running(folder / "ministack.log", "tests.infra.ministack_aws", settings, "/_ministack/health") as address:
        yield address


@contextmanager
def _running(log: Path, module: str, settings: Mapping[str, str], path: str, host: str = "127.0.0.1") -> Iterator[str]:
    port = free_port(host)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [str(PYTHON), "-m", module, str(port), host]
    with log.open("wb") as out:
        # A session of its own: what the emulator starts ends with it.
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**clean, **settings}, start_new_session=True)
        try:
            _wait(f"http://{host}:{port}{path}", process, log)
            yield f"http://{host}:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
                return
            ended = process.poll() is not None or time.monotonic() > deadline
            assert not ended, log.read_text(errors="replace")[-2000:]
            time.sleep(0.2)
