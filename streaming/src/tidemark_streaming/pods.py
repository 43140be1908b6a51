"""The pods of a stream on Kubernetes: `python -m tidemark_streaming.pods jobmanager|taskmanager --source shop …`.

Each writes its configuration and its secrets into a folder of its own and becomes Flink, in application mode: one
JobManager, whose program is `application`, and one TaskManager. Which JobManager leads is Flink's high availability's
affair, which keeps it in ConfigMaps.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from tidemark_contract.errors import SettingsError, TidemarkError
from tidemark_contract.s3 import S3Access
from tidemark_contract.secret_files import secret_files
from tidemark_contract.settings import Settings
from tidemark_streaming import waiting
from tidemark_streaming.connector_options import ConnectorOptions
from tidemark_streaming.deployment import Deployment
from tidemark_streaming.flink_settings import JOBMANAGER, POD_HEAP, POD_LOGS, TASKMANAGER, java_options, pod_settings
from tidemark_streaming.high_availability import ConfigMaps
from tidemark_streaming.logs import log_to_stderr

LOG = logging.getLogger("tidemark_streaming")

PROGRAM = "/opt/tidemark/application.py"
_MAIN = {
    JOBMANAGER: "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
    TASKMANAGER: "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
}


def main(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Become Flink; return an exit code when that cannot be."""
    log_to_stderr()
    parsed = _parser().parse_args(words)
    try:
        _become(parsed.role, Deployment.of(parsed), parsed.cluster, environment)
    except TidemarkError as error:
        LOG.error("%s", error, extra={"facts": {"error": type(error).__name__}})
        return error.exit_code


def _become(role: str, deployment: Deployment, cluster: str, environment: Mapping[str, str]) -> NoReturn:
    settings = Settings.read({**environment, **secret_files(environment)})
    connector = ConnectorOptions.of(deployment.source, settings)
    connector.with_secrets_in(settings.state / "secrets")
    maps = ConfigMaps.of_pod(environment)
    if role == JOBMANAGER:
        waiting.for_server(*connector.server)
        if plans := maps.forget_plans(cluster):
            LOG.info("forgotten: what an earlier JobManager had planned", extra={"facts": {"plans": plans}})
    flink = Path(_needed(environment, "FLINK_HOME", "the folder of Flink, which the image says"))
    own = pod_settings(
        cluster=cluster,
        namespace=maps.namespace,
        address=_needed(environment, "POD_IP", "the pod's address, which the chart takes from status.podIP"),
        high_availability=deployment.high_availability,
        folder=settings.state,
        python=sys.executable,
    )
    folder = _configure(settings.state, own | S3Access.read(environment).hadoop(), flink)
    words = command(role, deployment, flink, folder)
    os.execvpe(words[0], words, {**environment, "FLINK_CONF_DIR": str(folder)})


def command(role: str, deployment: Deployment, flink: Path, configuration: Path) -> list[str]:
    """Give the words with which Java becomes this role."""
    jars = sorted((flink / "lib").glob("*.jar"))
    java = ["java", *POD_HEAP[role].split(), *java_options(flink)]
    java += [
        f"-Dlog4j.configurationFile={configuration / 'log4j2.xml'}",
        f"-Djava.io.tmpdir={configuration.parent / 'tmp'}",
    ]
    java += ["-cp", os.pathsep.join(str(jar) for jar in jars), _MAIN[role], "--configDir", str(configuration)]
    if role == TASKMANAGER:
        return java
    driver = ["--job-classname", "org.apache.flink.client.python.PythonDriver", "--job-id", deployment.job]
    return [*java, *driver, "-py", PROGRAM, *deployment.words()]


def _needed(environment: Mapping[str, str], name: str, meaning: str) -> str:
    if value := environment.get(name):
        return value
    raise SettingsError(f"{name} is not set: {meaning}")


def _configure(folder: Path, settings: Mapping[str, str | int], flink: Path) -> Path:
    configuration = folder / "conf"
    for each in (configuration, folder / "tmp"):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {"env.java.opts.all": " ".join(java_options(flink))}
    (configuration / "config.yaml").write_text(json.dumps({**settings, **options}, indent=1), encoding="utf-8")
    (configuration / "log4j2.xml").write_text(POD_LOGS, encoding="utf-8")
    return configuration


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidemark_streaming.pods", allow_abbrev=False)
    parser.add_argument("role", choices=sorted(_MAIN))
    parser.add_argument(
        "--cluster", required=True, help="the name by which JobManagers and TaskManagers find each other"
    )
    Deployment.add_to(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
