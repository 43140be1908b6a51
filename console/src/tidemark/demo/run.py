"""The main job, from nothing to proof, on real engines on this machine."""

import json
from dataclasses import dataclass

from tidemark.demo.proof import Proof, read_proof
from tidemark.jobs import JobFailed
from tidemark.local.builder import Builder, failed
from tidemark.local.runs import Runs
from tidemark.local.stack import LOAD, Stack
from tidemark.local.steps import Steps
from tidemark.mirror import Mirror
from tidemark.published import Control
from tidemark_contract.argv import GUARD, Job
from tidemark_contract.errors import NotEqual


@dataclass(frozen=True)
class Demo:
    """One run of the demo on a stack; `scale` is TPC-H's, 1 is 1 GB."""

    stack: Stack
    scale: float
    seed: int
    airflow: bool = False

    def run(self) -> Proof:
        """Do everything; the stack is left running, whatever happens."""
        build = Builder(self.stack, Steps())
        build.shop(self.scale)
        build.load(self.seed)
        mirror = build.source()
        return self._by_airflow(build, mirror) if self.airflow else self._by_itself(build, mirror)

    def _by_airflow(self, build: Builder, mirror: Mirror) -> Proof:
        """Do it through the scheduler: every job is a task of a DAG."""
        build.stream(mirror)
        runs = Runs(build, build.airflow())
        runs.run("copy the tables under one snapshot, and sync them in", "copy", {"reason": "the demo"})
        runs.let_run()
        self._kill(build)
        runs.run("bring the stream back", GUARD)
        runs.run("sync what came meanwhile", "sync")
        runs.wait_for("build the gold tables that new marks ask for", "gold", "pricing_summary")
        runs.run("verify every table, while the load runs", "verify")
        self._check_load()
        return read_proof(mirror)

    def _by_itself(self, build: Builder, mirror: Mirror) -> Proof:
        self.stack.start_sync(pause_s=4.0)  # at once again it would take the cores from gold and verify
        build.stream(mirror)
        build.copy(mirror)
        self._follow(build, mirror, "sync more marks", 2)
        self._kill(build)
        build.stream(mirror, "bring the stream back")
        self._follow(build, mirror, "sync what came meanwhile", 2)
        with build.steps.step("build the gold tables from one mark") as step:
            build.job(mirror, Job("gold", mirror.name), step)
        return self._verify(build, mirror)

    def _kill(self, build: Builder) -> None:
        with build.steps.step("kill the stream with -9") as step:
            step.outcome = f"{self.stack.kill_stream()} processes killed"

    def _check_load(self) -> None:
        if not self.stack.runs(LOAD):
            raise failed("LoadEnded", f"the live load has ended: see {self.stack.logs / 'load.log'}")

    def _follow(self, build: Builder, mirror: Mirror, title: str, marks: int) -> None:
        """Wait for marks that were written from now on."""
        with build.steps.step(title) as step:
            control = Control(mirror.layout)
            before = control.published()
            first = before.mark.id if before else 0
            published = build.wait(mirror, step, lambda newest: newest.mark.id >= first + marks)
            changes = sum(mark.changes for mark in control.marks_since(first + 1))
            step.outcome = f"{changes:,} changes up to mark {published.mark.id}"

    def _verify(self, build: Builder, mirror: Mirror) -> Proof:
        with build.steps.step("verify every table, while the load runs") as step:
            try:
                build.job(mirror, Job("verify", mirror.name), step)
            except JobFailed as ended:
                if ended.failure.kind != NotEqual.__name__:
                    raise
            self._check_load()
            step.outcome = f"after {load_count(self.stack):,} transactions of the load, which goes on"
            return read_proof(mirror)


def load_count(stack: Stack) -> int:
    """Give the number of transactions that the load has done, as it said last."""
    log = stack.logs / "load.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return int(json.loads(lines[-1])["transactions"]) if lines and lines[-1].startswith("{") else 0
