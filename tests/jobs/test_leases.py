"""Leases: one holder at a time, and none that is dead."""

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from tidemark_contract.errors import LeaseTaken
from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.leases import lease

HOLD = """
import sys, time
from tidemark_contract.layout import Layout
from tidemark_jobs.leases import lease
with lease(Layout(sys.argv[1], "shop"), "sync"):
    print("held", flush=True)
    time.sleep(600)
"""

# The job's own main, with a sync that takes its time.
JOB = """
import os, sys, time
from tidemark_jobs import __main__ as jobs
from tidemark_jobs.leases import lease
os.environ |= {"TIDEMARK_SPECS": "/none", "TIDEMARK_STATE": "/none", "TIDEMARK_LAKE": sys.argv[1]}
def sync_job(run):
    with lease(run.layout, "sync"):
        print("held", flush=True)
        time.sleep(600)
        yield {}
jobs.sync_job = sync_job
jobs.run_as_process(["sync", "--source", "shop"])
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path.as_uri(), "shop")


def test_a_lease_has_one_holder_at_a_time(layout: Layout) -> None:
    with (
        lease(layout, "sync"),
        pytest.raises(LeaseTaken, match="another sync of shop is running"),
        lease(layout, "sync"),
    ):
        pass
    with lease(layout, "sync"), lease(layout, "maintain"):
        pass


@pytest.mark.parametrize(("written_s_ago", "held"), [(5, True), (90, False)])
def test_a_lease_of_another_machine_ends_by_the_clock_of_the_store(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_s_ago: int, held: bool
) -> None:
    """Theirs may be hours off ours: neither is a dead one waited for, nor a living one taken over."""
    monkeypatch.setattr("tidemark_jobs.leases._died_here", lambda _: False)
    name = "leases/sync/0000000007"
    storage.create(layout.claims, name, b'{"holder": "elsewhere:1:x", "seconds": 60}')
    then = time.time() - written_s_ago
    os.utime(tmp_path / "control" / "_claims" / "shop" / name, (then, then))

    with pytest.raises(LeaseTaken, match="elsewhere:1:x") if held else nullcontext(), lease(layout, "sync"):
        pass
    assert not list((tmp_path / "control" / "_claims" / "shop" / "leases").glob("now-*"))


def test_a_holder_that_was_killed_is_not_waited_for(layout: Layout) -> None:
    """Its lease has a minute to go; a person who starts the sync again should not have to wait that long."""
    with subprocess.Popen([sys.executable, "-c", HOLD, layout.root], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        with pytest.raises(LeaseTaken), lease(layout, "sync"):
            pass
        holder.kill()
        holder.wait()
        with lease(layout, "sync") as held:
            held.check()


def test_a_job_that_is_ended_by_sigterm_gives_its_lease_back(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """So ends Kubernetes a job, and the next one may be on another machine, which cannot tell that it is dead."""
    monkeypatch.setattr("tidemark_jobs.leases._died_here", lambda _: False)
    with subprocess.Popen([sys.executable, "-c", JOB, layout.root], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        assert "held\n" == job.stdout.readline()
        job.terminate()
        assert -signal.SIGTERM == job.wait(120)
        with lease(layout, "sync") as held:
            held.check()
