"""For Airflow's Python: a job through the launcher `kubernetes`, as a task runs it; its end as JSON.

    python -m tests.kubernetes.launching start|run|end KEY TRY

`start` begins a try and no more of it, as a worker does that dies then; `run` waits for it, as a trigger does; `end`
ends the job of a try that has begun.
"""

import json
import sys
from dataclasses import asdict
from datetime import timedelta

from tidemark_contract.argv import Job
from tidemark_orchestration.launchers import launcher_for, remote_target
from tidemark_orchestration.launchers.launcher import Finished
from tidemark_orchestration.launchers.remote import RemoteLauncher
from tidemark_orchestration.launchers.watched import Watched
from tidemark_orchestration.launchers.work import Work

GRACE_S = 120


def main(action: str, key: str, number: int) -> None:
    job, said = Job("sync", "shop"), list[str]()
    work = Work(key, number, 1, timedelta(hours=1))
    launcher = launcher_for(job, lambda: work, lambda _level, line: said.append(line))
    assert isinstance(launcher, RemoteLauncher)
    begun = launcher.run(job)
    if action == "end":
        launcher.end(GRACE_S)
    ended = {}
    if action == "run":
        if not isinstance(begun, Finished):
            watched = Watched(remote_target(), begun, lambda _level, line: said.append(line))
            begun = launcher.finished(job, begun, watched.wait())
        ended = asdict(begun)
    print(json.dumps({**ended, "said": said}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
