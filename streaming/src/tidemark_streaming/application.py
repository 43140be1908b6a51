"""The program of a JobManager in application mode: it runs there once the JobManager leads, and submits the one job.

So no other JobManager completes a checkpoint any more when it looks for the newest one. After that Flink's high
availability keeps the pointer: a JobManager that comes back restores from it, under the same id of the job.
"""

import argparse
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from tidemark_contract.errors import RetryableError
from tidemark_contract.layout import Layout
from tidemark_contract.secret_files import secret_files
from tidemark_contract.settings import Settings
from tidemark_streaming.connector_options import ConnectorOptions
from tidemark_streaming.deployment import Deployment
from tidemark_streaming.incarnations import Incarnations
from tidemark_streaming.logs import log_to_stderr
from tidemark_streaming.options import PipelineOptions
from tidemark_streaming.starting_point import starting_point

LOG = logging.getLogger(__name__)

_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0


def options_of(deployment: Deployment, settings: Settings, folder: Path) -> PipelineOptions:
    """Decide where the stream begins, and give what it is made of; secrets become files of a folder."""
    layout = Layout(settings.lake, deployment.source)
    start = starting_point(
        Incarnations(layout),
        deployment.incarnation,
        checkpoints_of=deployment.checkpoints_of,
        landing_of=layout.incarnation,
    )
    return PipelineOptions(
        source=deployment.source,
        landing=layout.incarnation(start.incarnation),
        checkpoints=deployment.checkpoints_of(start.incarnation),
        connector=ConnectorOptions.of(deployment.source, settings).with_secrets_in(folder),
        checkpoint_interval=deployment.checkpoint_interval,
        restore=start.restore,
    )


def submit(words: Sequence[str]) -> None:
    """Submit the job. What may heal is tried for ever; anything else ends the job, which says why."""
    from tidemark_streaming.pipeline import build

    log_to_stderr()
    parser = argparse.ArgumentParser(allow_abbrev=False)
    Deployment.add_to(parser)
    deployment = Deployment.of(parser.parse_args(words))
    settings = Settings.read({**os.environ, **secret_files(os.environ)})
    options = _insist(deployment, settings)
    LOG.info("the stream of %s begins", options.source, extra={"facts": {"restored": options.restore or None}})
    build(options).execute_async(deployment.job_name)


def _insist(deployment: Deployment, settings: Settings) -> PipelineOptions:
    pause = _PAUSE_S
    while True:
        try:
            return options_of(deployment, settings, settings.state / "secrets")
        except RetryableError as error:
            LOG.warning("tried again in %.0f s: %s", pause, error)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
