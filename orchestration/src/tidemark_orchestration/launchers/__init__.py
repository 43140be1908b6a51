"""Where a job runs: one module for each target, chosen by TIDEMARK_LAUNCHER."""

import os
from collections.abc import Callable, Mapping

from tidemark_contract.argv import GUARD, Job
from tidemark_contract.errors import SettingsError
from tidemark_orchestration.launchers.launcher import Launcher
from tidemark_orchestration.launchers.local import LocalLauncher
from tidemark_orchestration.launchers.work import Work
from tidemark_orchestration.words import Tell

LAUNCHER = "TIDEMARK_LAUNCHER"
LOCAL = "local"
TARGETS = (LOCAL, "emr-serverless", "emr", "emr-on-eks")


def launcher_for(
    job: Job, work: Callable[[], Work], tell: Tell, environment: Mapping[str, str] = os.environ
) -> Launcher:
    """Give the launcher that the settings choose, without connecting to anything; SettingsError.

    The guard looks after what runs beside the worker, and is always run there.
    """
    chosen = environment.get(LAUNCHER) or LOCAL
    if chosen == LOCAL or job.name == GUARD:
        return LocalLauncher(tell, environment)
    # Imported here: what is not chosen need not be installed.
    from tidemark_orchestration.launchers.remote import RemoteLauncher

    if chosen == "emr-serverless":
        from tidemark_orchestration.launchers.emr_serverless import EmrServerless

        return RemoteLauncher(EmrServerless.read(environment), work(), tell, environment)
    if chosen == "emr":
        from tidemark_orchestration.launchers.emr import read_emr

        return RemoteLauncher(read_emr(environment), work(), tell, environment)
    if chosen == "emr-on-eks":
        from tidemark_orchestration.launchers.emr_on_eks import EmrOnEks

        return RemoteLauncher(EmrOnEks.read(environment), work(), tell, environment)
    raise SettingsError(f"{LAUNCHER} is {chosen!r}: it can be {', '.join(TARGETS)}")
