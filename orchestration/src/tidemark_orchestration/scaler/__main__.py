"""`python -m tidemark_orchestration.scaler`: Celery workers on ECS, as many as there is work for.

It runs beside the scheduler, with Airflow's settings of the broker. The login of --user, whose password is in the file
that TIDEMARK_SCALER_PASSWORD_FILE names, has to read task instances.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError
from kombu.exceptions import OperationalError

from tidemark_contract.errors import EXIT_OK, RetryableError, SettingsError, TidemarkError
from tidemark_orchestration.scaler.celery_workers import CeleryWorkers
from tidemark_orchestration.scaler.ecs import EcsFleet
from tidemark_orchestration.scaler.loop import Scaler
from tidemark_orchestration.scaler.plan import Bounds
from tidemark_orchestration.scaler.work import PASSWORD, Work

_PASSING = (RetryableError, BotoCoreError, ClientError, requests.RequestException, OperationalError, OSError)


def parser() -> argparse.ArgumentParser:
    """Describe the words."""
    made = argparse.ArgumentParser(prog="tidemark_orchestration.scaler", description=__doc__.partition("\n")[0])
    made.add_argument("--airflow", required=True, help="the API server's address")
    made.add_argument("--user", default="scaler")
    made.add_argument("--queue", default="default")
    made.add_argument("--cluster", required=True, help="of ECS")
    made.add_argument("--definition", required=True, help="the task definition of a worker")
    made.add_argument("--subnets", required=True, type=lambda words: words.split(","))
    made.add_argument("--security-groups", required=True, type=lambda words: words.split(","))
    made.add_argument("--concurrency", type=int, default=4, help="celery.worker_concurrency")
    made.add_argument("--least", type=int, default=0, help="workers, at least")
    made.add_argument("--most", type=int, default=10, help="workers, at most")
    made.add_argument("--patience", type=float, default=300, help="seconds of less work before there are fewer workers")
    made.add_argument("--every", type=float, default=15, help="seconds between two looks")
    return made


def scaler(options: argparse.Namespace, environment: Mapping[str, str]) -> Scaler:
    """Put it together; SettingsError for what is missing."""
    from airflow.providers.celery.executors.celery_executor import app

    try:
        password = Path(environment.get(PASSWORD, "")).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{PASSWORD} has to name a file with the password of {options.user}: {error}") from error
    work = Work(options.airflow.rstrip("/"), options.user, password, options.queue)
    client = boto3.client("ecs")
    fleet = EcsFleet(client, options.cluster, options.definition, options.subnets, options.security_groups)
    bounds = Bounds(options.concurrency, options.least, options.most)
    workers = CeleryWorkers(app, options.queue)
    return Scaler(partial(counted, work, workers), workers, fleet, bounds, options.patience)


def counted(work: Work, workers: CeleryWorkers) -> int:
    """Count what there is to do. While the pages are down, or asleep: what is in the queue, and with workers."""
    try:
        return work.tasks()
    except requests.RequestException as error:
        tasks = workers.tasks()
        print(json.dumps({"error": str(error), "counted": tasks}), flush=True)
        return tasks


def main(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Look for ever; one line of JSON for each look that led to something, or to nothing for a reason."""
    options = parser().parse_args(words)
    try:
        made = scaler(options, environment)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    with suppress(KeyboardInterrupt):
        while True:
            _look(made)
            time.sleep(options.every)
    return EXIT_OK


def _look(made: Scaler) -> None:
    try:
        steps = asdict(made.look())
    except _PASSING as error:
        print(json.dumps({"error": str(error)}), flush=True)
    else:
        if any(steps.values()):
            print(json.dumps(steps), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
