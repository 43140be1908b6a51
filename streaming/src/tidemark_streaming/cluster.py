"""One source's own Flink on this machine: a JobManager and a TaskManager from the wheel, bound to loopback.

They are started as plain Java processes, not by Flink's scripts: those start a JVM each to compute what stands in
`flink_settings`, and keep pid files that a reboot makes wrong.
"""

import json
import os
import random
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from tidemark_contract.protection import HASH_KEY
from tidemark_streaming.flink_settings import (
    CLIENT,
    HEAP,
    JOBMANAGER,
    LOG_SETTINGS,
    TASKMANAGER,
    cluster_settings,
    java_options,
)
from tidemark_streaming.home import Home
from tidemark_streaming.processes import Processes
from tidemark_streaming.rest import Rest

_HOST = "127.0.0.1"
# Below those that systems hand out by themselves: none is taken in the seconds that a JVM needs to listen.
_PORTS = range(10_000, 20_000)
_MAIN = {
    JOBMANAGER: "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
    TASKMANAGER: "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
}


@dataclass(frozen=True)
class Cluster:
    """The cluster whose configuration, logs and temporary files are below `folder`."""

    folder: Path
    home: Home
    environment: Mapping[str, str]

    @cached_property
    def processes(self) -> Processes:
        """The cluster's processes."""
        return Processes(self.folder)

    @property
    def logs(self) -> Path:
        """Where both processes, and each submission, log."""
        return self.folder / "log"

    @property
    def configuration(self) -> Path:
        """FLINK_CONF_DIR."""
        return self.folder / "conf"

    @property
    def jobmanager(self) -> str:
        """host:port of the REST interface and the web UI, as chosen by the last start."""
        settings = yaml.safe_load((self.configuration / "config.yaml").read_text(encoding="utf-8"))
        return f"{settings['rest.address']}:{settings['rest.port']}"

    def rest(self) -> Rest:
        """Give the REST interface."""
        return Rest(f"http://{self.jobmanager}")

    def alive(self) -> bool:
        """Say whether both processes live."""
        return bool(self.processes.find(JOBMANAGER) and self.processes.find(TASKMANAGER))

    def start(self, file_system: Mapping[str, str]) -> None:
        """Start both processes, and return before they serve; a cluster that lives already is left as it is.

        `file_system` holds Flink's settings for where the job shall write.
        """
        if self.alive():
            return
        self.stop()
        self.write_configuration(file_system)
        self._copy_connector()
        for role in (JOBMANAGER, TASKMANAGER):
            self.start_process(role)

    def start_process(self, role: str) -> None:
        """Start one of the two."""
        self.processes.spawn(self._command(role), environment=self.process_environment(), output=self._output(role))

    def stop(self) -> None:
        """End everything that this or an earlier start, finished or not, has started."""
        self.processes.end()
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def process_environment(self) -> dict[str, str]:
        """Give the environment of Flink's processes: ours, without the sources' passwords and the key of hashes."""
        secret = ("TIDEMARK_SOURCE_", HASH_KEY)
        ours = {name: value for name, value in self.environment.items() if not name.startswith(secret)}
        return ours | {
            "FLINK_HOME": str(self.home.flink),
            "FLINK_CONF_DIR": str(self.configuration),
            "FLINK_LOG_DIR": str(self.logs),
            "FLINK_PID_DIR": str(self.folder),
            "FLINK_PLUGINS_DIR": str(self.home.plugins),
        }

    def client_environment(self) -> dict[str, str]:
        """Give the environment of a process that submits a job through PyFlink's gateway."""
        jvm = [HEAP[CLIENT], "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", self.processes.mark(CLIENT)]
        jvm += [word for word in self.home.archived(CLIENT) if " " not in word]  # a script splits them at blanks
        # PyFlink appends HADOOP_CLASSPATH to the gateway's class path, and has no other way to add to it.
        return self.process_environment() | {
            "JVM_ARGS": " ".join(jvm),
            "HADOOP_CLASSPATH": _class_path(self._own_jars()),
            "LOG4J_PROPERTIES": str(self._log_settings),
        }

    def _command(self, role: str) -> list[str]:
        log = [f"-Dlog.file={self.logs / role}.log", f"-Dlog4j.configurationFile={self._log_settings}"]
        return [
            str(self.home.java),
            *HEAP[role].split(),
            *self.home.archived(role),
            *java_options(self.home.flink),
            *log,
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            self.processes.mark(role),
            "-cp",
            _class_path([*self.home.flink_jars(), *self._own_jars()]),
            _MAIN[role],
            "--configDir",
            str(self.configuration),
        ]

    @property
    def _log_settings(self) -> Path:
        return self.configuration / "log4j2.xml"

    def _output(self, role: str) -> Path:
        return self.logs / f"{role}.out"

    def _own_jars(self) -> list[Path]:
        """The copy comes last: an archive of classes fits only what begins like the class path it was made with."""
        return [*self.home.libraries(), *sorted((self.folder / "lib").glob("*.jar"))]

    def _copy_connector(self) -> None:
        """Run from a copy: a JVM whose jar is built anew under it finds no more classes."""
        shutil.rmtree(self.folder / "lib", ignore_errors=True)
        (self.folder / "lib").mkdir()
        for jar in self.home.connectors():
            shutil.copy(jar, self.folder / "lib")

    def write_configuration(self, file_system: Mapping[str, str]) -> None:
        """Write what both processes read as they start, with free ports."""
        for folder in (self.configuration, self.logs, self.folder / "tmp"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        rest, rpc = _free_ports(2)
        settings = cluster_settings(host=_HOST, rest=rest, rpc=rpc, temporary=self.folder / "tmp")
        settings |= file_system
        settings["env.java.opts.all"] = " ".join(java_options(self.home.flink))
        (self.configuration / "config.yaml").write_text(json.dumps(settings, indent=1), encoding="utf-8")
        self._log_settings.write_text(LOG_SETTINGS, encoding="utf-8")


def _class_path(jars: list[Path]) -> str:
    return os.pathsep.join(str(jar) for jar in jars)


def _free_ports(count: int) -> list[int]:
    free: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(free) == count:
            break
        with suppress(OSError):
            socket.create_server((_HOST, port)).close()
            free.append(port)
    return free
