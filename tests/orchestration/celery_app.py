"""A Celery app as Airflow's is set: what was taken is acknowledged when it was done, and nothing is taken ahead."""

import os
import time
from pathlib import Path

from celery import Celery

app = Celery("scaled", broker=os.environ.get("SCALED_BROKER", "memory://"))
app.conf.update(
    task_acks_late=True, worker_prefetch_multiplier=1, task_default_queue="default", task_ignore_result=True
)


def work(seconds: float, file: str) -> None:
    """Take a while, and leave a line."""
    time.sleep(seconds)
    with Path(file).open("a") as lines:
        lines.write(f"{os.getpid()}\n")


def wait(until: str, file: str) -> None:
    """Take as long as there is no such file, and leave a line."""
    while not Path(until).exists():
        time.sleep(0.1)
    work(0, file)


for task in (work, wait):
    app.task(name=task.__name__)(task)  # as a decorator it would take away its type
