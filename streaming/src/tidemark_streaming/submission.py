"""Submit a pipeline to a cluster, in a process of its own: PyFlink's gateway is a JVM that must not stay."""

import json
import subprocess
import sys
from pathlib import Path

from tidemark_contract.errors import TidemarkError
from tidemark_streaming.cluster import Cluster
from tidemark_streaming.options import PipelineOptions

_TIMEOUT_S = 300


class SubmissionFailed(TidemarkError):
    """Flink did not take the job."""


def submit(options: PipelineOptions, file: Path, cluster: Cluster) -> str:
    """Write the options to a file, submit the job they describe, and return its id."""
    options.write(file)
    command = [sys.executable, "-m", "tidemark_streaming.pipeline", str(file)]
    try:
        ended = subprocess.run(
            command,
            check=False,
            env=cluster.client_environment(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise SubmissionFailed(f"no answer in {_TIMEOUT_S} s; see the logs in {cluster.logs}") from error
    if ended.returncode:
        raise SubmissionFailed(f"{_cause(ended.stderr)}; see the logs in {cluster.logs}")
    return str(json.loads(ended.stdout.splitlines()[-1])["job"])


def _cause(trace: str) -> str:
    """Give the line of a Python and Java trace that says most: the innermost cause."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes or lines or ["the submitting process said nothing"])[-1]
