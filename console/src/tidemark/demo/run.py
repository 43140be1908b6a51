"""The main job, from nothing to proof, on real engines on this machine."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from tidemark.children import Event, read_event
from tidemark.demo.proof import Proof, read_proof
from tidemark.jobs import JobFailed, Result, run_job
from tidemark.local.stack import LOAD, SOURCE, SYNC, Stack
from tidemark.local.steps import Step, Steps
from tidemark.mirror import Mirror
from tidemark.output import CommandFailed, Failure
from tidemark.published import Control, PublishedMark
from tidemark.setup import prepare, write_new_specs
from tidemark.stream import call
from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_FAILED, NotEqual

CHECKPOINT_INTERVAL = "2s"
PATIENCE_S = 240.0
LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Builder:
    """The steps from nothing to a mirror that runs, for the demo and for `tidemark up`."""

    stack: Stack
    steps: Steps

    def shop(self, scale: float) -> None:
        """Start PostgreSQL on nothing and fill it."""
        with self.steps.step(f"start PostgreSQL and load TPC-H at scale {scale:g}") as step:
            self.stack.make(scale)
            step.outcome = f"port {self.stack.server.port}"

    def load(self, seed: int) -> None:
        """Start the live load."""
        with self.steps.step("start the live load") as step:
            self.stack.start_load(seed)
            step.outcome = f"seed {seed}"

    def source(self) -> Mirror:
        """Write the specs and make publication, slot and mark table."""
        with self.steps.step("discover the tables, make publication, slot and mark table") as step:
            write_new_specs(self.stack.environment(), SOURCE)
            mirror = self.stack.mirror()
            prepare(mirror)
            step.outcome = f"{len(mirror.source.tables)} tables"
        return mirror

    def stream(self, mirror: Mirror, title: str = "start the stream") -> None:
        """Start the Flink pipeline."""
        with self.steps.step(title) as step:
            words = ("start", "--detach", "--checkpoint-interval", CHECKPOINT_INTERVAL)
            answer = call(mirror, *words, on_event=step.show)
            step.outcome = f"web UI {answer.get('web_ui')}"

    def copy(self, mirror: Mirror) -> None:
        """Copy all tables under one snapshot, and wait until sync has taken them in."""
        with self.steps.step("copy the tables under one snapshot, while the load runs") as step:
            result = self.job(mirror, Job("copy", mirror.name), step)
            step.outcome = f"{result.get('rows', 0):,} rows at mark {result['mark']}"
        with self.steps.step("sync to the copy's mark") as step:
            published = self.wait(mirror, step, lambda newest: newest.mark.id >= int(result["mark"]))
            step.outcome = f"mark {published.mark.id}, {len(published.tables)} tables"

    def job(self, mirror: Mirror, job: Job, step: Step) -> Result:
        """Run a Spark job as a part of a step."""
        return run_job(mirror, job, on_event=step.show)

    def wait(self, mirror: Mirror, step: Step, enough: Callable[[PublishedMark], bool]) -> PublishedMark:
        """Wait until what the continuous sync has published is enough."""
        control, deadline = Control(mirror.layout), time.monotonic() + PATIENCE_S
        while True:
            newest = control.published()
            if newest and enough(newest):
                return newest
            step.say(f"mark {newest.mark.id} is published" if newest else "no mark is published yet")
            self.check_sync()
            if time.monotonic() > deadline:
                raise _failed("MarkTimeout", f"no mark came in {PATIENCE_S:.0f} s; see {self.stack.logs / 'sync.log'}")
            time.sleep(LOOK_EVERY_S)

    def check_sync(self) -> None:
        """Raise, with its last words, when the continuous sync has ended."""
        if self.stack.runs(SYNC):
            return
        log = self.stack.logs / "sync.log"
        words = [event for line in log.read_text(errors="replace").splitlines() if (event := read_event(line))]
        last: Event = words[-1] if words else {}
        raise _failed(str(last.get("error", "SyncEnded")), f"{last.get('message', 'sync ended')} (all of it: {log})")


@dataclass(frozen=True)
class Demo:
    """One run of the demo on a stack; `scale` is TPC-H's, 1 is 1 GB."""

    stack: Stack
    scale: float
    seed: int

    def run(self) -> Proof:
        """Do everything; the stack is left running, whatever happens."""
        build = Builder(self.stack, Steps())
        build.shop(self.scale)
        build.load(self.seed)
        mirror = build.source()
        self.stack.start_sync()
        build.stream(mirror)
        build.copy(mirror)
        self._follow(build, mirror, "sync more marks", 3)
        with build.steps.step("kill the stream with -9") as step:
            step.outcome = f"{self.stack.kill_stream()} processes killed"
        build.stream(mirror, "bring the stream back")
        self._follow(build, mirror, "sync what came meanwhile", 2)
        with build.steps.step("build the gold tables from one mark") as step:
            build.job(mirror, Job("gold", mirror.name), step)
        return self._verify(build, mirror)

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
            except JobFailed as failed:
                if failed.failure.kind != NotEqual.__name__:
                    raise
            if not self.stack.runs(LOAD):
                raise _failed("LoadEnded", f"the live load has ended: see {self.stack.logs / 'load.log'}")
            step.outcome = f"after {load_count(self.stack):,} transactions of the load, which goes on"
            return read_proof(mirror)


def load_count(stack: Stack) -> int:
    """Give the number of transactions that the load has done, as it said last."""
    log = stack.logs / "load.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return int(json.loads(lines[-1])["transactions"]) if lines and lines[-1].startswith("{") else 0


def _failed(kind: str, message: str) -> CommandFailed:
    return CommandFailed(Failure(kind, message, EXIT_FAILED))
