"""Where a job runs: one module for each target, chosen by TIDEMARK_LAUNCHER."""

import os
from collections.abc import Callable, Mapping

from tidemark_contract.argv import GUARD, Job
from tidemark_contract.errors import SettingsError
from tidemark_orchestration.launchers.launcher import Launcher
from tidemark_orchestration.launchers.local import PYTHON as JOBS_PYTHON
from tidemark_orchestration.launchers.local import LocalLauncher
from tidemark_orchestration.launchers.target import Target
from tidemark_orchestration.launchers.work import Work
from tidemark_orchestration.words import Tell

LAUNCHER = "TIDEMARK_LAUNCHER"
LOCAL = "local"
TARGETS = (LOCAL, "emr-serverless", "emr", "emr-on-eks", "kubernetes")


def launcher_for(
    job: Job, work: Callable[[], Work], tell: Tell, environment: Mapping[str, str] = os.environ
) -> Launcher:
    """Give the launcher that the settings choose, without connecting to anything; SettingsError.

    The guard looks after what runs beside the worker, and is run there; on Kubernetes, where a worker has no Python of
    the jobs', it is a Job as they are.
    """
    if _is_local(job, environment):
        return LocalLauncher(tell, environment)
    # Imported here, as each target is: what is not chosen need not be installed.
    from tidemark_orchestration.launchers.remote import RemoteLauncher

    return RemoteLauncher(remote_target(environment), work(), tell, environment)


def _is_local(job: Job, environment: Mapping[str, str]) -> bool:
    chosen = environment.get(LAUNCHER) or LOCAL
    return chosen == LOCAL or (job.name == GUARD and (chosen != "kubernetes" or JOBS_PYTHON in environment))


def remote_target(environment: Mapping[str, str] = os.environ) -> Target:
    """Give the target that the settings choose, without connecting to it; SettingsError."""
    chosen = environment.get(LAUNCHER)
    if chosen == "emr-serverless":
        from tidemark_orchestration.launchers.emr_serverless import EmrServerless

        return EmrServerless.read(environment)
    if chosen == "emr":
        from tidemark_orchestration.launchers.emr import read_emr

        return read_emr(environment)
    if chosen == "emr-on-eks":
        from tidemark_orchestration.launchers.emr_on_eks import EmrOnEks

        return EmrOnEks.read(environment)
    if chosen == "kubernetes":
        from tidemark_orchestration.launchers.kubernetes import Kubernetes

        return Kubernetes.read(environment)
    raise SettingsError(f"{LAUNCHER} is {chosen!r}: it can be {', '.join(TARGETS)}")
