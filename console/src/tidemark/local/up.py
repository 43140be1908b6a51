"""Bring the local stack up, from nothing or from where it was."""

from tidemark.local.builder import Builder
from tidemark.local.runs import Runs
from tidemark.local.stack import LOAD, SYNC, Stack
from tidemark.local.steps import Steps
from tidemark.mirror import Mirror
from tidemark.published import Control
from tidemark.stream import call


def bring_up(stack: Stack, scale: float, load_seed: int | None, *, airflow: bool) -> None:
    """Start what does not run yet; `load_seed` is None for a shop without customers.

    Syncs are Airflow's then, or those of a warm session that goes on and on.
    """
    build = Builder(stack, Steps())
    _server(build, scale)
    if load_seed is not None and not stack.runs(LOAD):
        build.load(load_seed)
    mirror = build.source()
    if call(mirror, "status").get("state") not in ("running", "restarting"):
        build.stream(mirror)
    if airflow:
        by_airflow(build, mirror)
    else:
        by_itself(build, mirror)
    stack.keep()


def by_itself(build: Builder, mirror: Mirror) -> None:
    """Sync without end in a warm session."""
    build.stack.airflow.end()
    if not build.stack.runs(SYNC):
        build.sync(pause_s=5.0)
    if _wants_copy(mirror):
        build.copy(mirror)


def by_airflow(build: Builder, mirror: Mirror) -> None:
    """Let Airflow copy, sync and verify."""
    build.stack.end_sync()
    runs = Runs(build, build.airflow())
    if _wants_copy(mirror):
        runs.run("copy the tables under one snapshot, and sync them in", "copy", {"reason": "the first copy"})
    runs.let_run()


def _server(build: Builder, scale: float) -> None:
    if not build.stack.env_file.exists():
        build.stack.remove()  # what a make that was killed has left
        build.shop(scale)
        return
    with build.steps.step("start PostgreSQL") as step:
        build.stack.start()
        step.outcome = f"port {build.stack.server.port}"


def _wants_copy(mirror: Mirror) -> bool:
    states = Control(mirror.layout).tables()
    return any(spec.table not in states or states[spec.table].state != "live" for spec in mirror.source.tables)
