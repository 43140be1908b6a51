"""An agent that really runs what a service was given to run.

It does what EMR does with a spark-submit: the driver's variables become its environment, archives lie unpacked in its
folder, its role gives it credentials. The words are taken as they were sent.
"""

import os
import signal
import subprocess
import threading
import zipfile
from pathlib import Path

from tests.orchestration.amazon import KEYS, PATIENCE_S
from tests.orchestration.emr_services import Run, Service
from tests.orchestration.world import REPOSITORY, SPARK_PYTHON


class Agent:
    """Runs what a service is given, each as a process of its own, and tells the service how it goes."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service, self._folder = service, folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Agent":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        for process in self._processes.values():
            kill(process)

    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in sorted(self._folder.glob("*/log")))

    def _work(self) -> None:
        while not self._stop.wait(0.1):
            for run in self._service.runs():
                if run.record.id not in self._processes and run.is_new():
                    self._processes[run.record.id] = self._start(run)
                    run.tell("RUNNING")
                elif process := self._processes.get(run.record.id):
                    self._look(run, process)

    def _look(self, run: Run, process: "subprocess.Popen[bytes]") -> None:
        if run.is_ending():
            kill(process)
            run.tell(run.cancelled)
        elif run.record.state == "RUNNING" and (code := process.poll()) is not None:
            run.tell(run.bad if code else run.good, f"the driver ended with {code}")

    def _start(self, run: Run) -> "subprocess.Popen[bytes]":
        folder = self._folder / run.record.id
        folder.mkdir(parents=True)
        words = unpack(run.words, folder) if self._service.unpacks else run.words
        kept = {name: os.environ[name] for name in ("JAVA_HOME", "PYTHONPATH") if name in os.environ}
        path = f"{SPARK_PYTHON.parent}:{os.environ['PATH']}"
        with (folder / "log").open("wb") as log:
            return subprocess.Popen(
                [*([] if "spark-submit" in words else ["spark-submit"]), *words, run.entry, *run.arguments],
                cwd=folder,
                env={"PATH": path, **kept, **KEYS, **run.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def unpack(words: list[str], folder: Path) -> list[str]:
    """Unpack --archives file.zip#name as folders called name, as a cluster does; give the words without it."""
    if "--archives" not in words:
        return words
    at = words.index("--archives")
    for archive in words[at + 1].split(","):
        file, _, name = archive.partition("#")
        with zipfile.ZipFile(file.removeprefix("file://")) as content:
            content.extractall(folder / name)
    return [*words[:at], *words[at + 2 :]]


def jars() -> str:
    """Name the jars of Spark with which a lake on S3 is worked on."""
    folders = (REPOSITORY / ".tidemark" / "jars" / name for name in ("spark", "spark-s3"))
    return ",".join(str(jar) for folder in folders for jar in sorted(folder.glob("*.jar")))


def zip_folder(folder: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w") as archive:
        for file in sorted(folder.rglob("*.yaml")):
            archive.write(file, file.relative_to(folder))
    return to
