"""`python -m tidemark_streaming start|resume|stop|status --source NAME`: one JSON object out, JSON logs on stderr."""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence

from tidemark_contract.errors import EXIT_OK, SettingsError, TidemarkError
from tidemark_contract.layout import Layout
from tidemark_contract.settings import Settings
from tidemark_streaming.deployment import interval
from tidemark_streaming.foreground import stay
from tidemark_streaming.home import Home
from tidemark_streaming.logs import log_to_stderr
from tidemark_streaming.options import DEFAULT_INTERVAL
from tidemark_streaming.pipelines import Pipeline
from tidemark_streaming.rest import Rest
from tidemark_streaming.status import Status

LOG = logging.getLogger("tidemark_streaming")

EXIT_INTERRUPTED = 128 + signal.SIGINT


def main(words: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    log_to_stderr()
    # A start that is told to go away clears away what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parsed = _parser().parse_args(words)
    try:
        settings = Settings.read()
        if url := settings.stream_url(parsed.source):
            status = _ask(url, settings, parsed)
        else:
            status = _run(Pipeline(parsed.source, settings, Home.find()), parsed)
    except TidemarkError as error:
        LOG.error("%s", error, extra={"facts": {"error": type(error).__name__}})
        return error.exit_code
    except KeyboardInterrupt:
        LOG.error("interrupted before the pipeline ran; nothing of it is left")
        return EXIT_INTERRUPTED
    print(json.dumps(status.as_dict()), flush=True)
    return EXIT_OK


def _ask(url: str, settings: Settings, parsed: argparse.Namespace) -> Status:
    """Look at a stream that a cluster runs, which also starts it, stops it and brings it back."""
    if parsed.command != "status":
        raise SettingsError(
            f"the stream of {parsed.source} is run by the cluster behind {url}: to {parsed.command} it, change what is "
            f"deployed there; to run it here, unset TIDEMARK_STREAM_{parsed.source.upper()}_URL"
        )
    return Status.afar(parsed.source, Rest(url.rstrip("/")), Layout(settings.lake, parsed.source))


def _run(pipeline: Pipeline, parsed: argparse.Namespace) -> Status:
    if parsed.command == "stop":
        return pipeline.stop()
    if parsed.command == "status":
        return pipeline.status()
    if parsed.command == "resume":
        return pipeline.resume()
    status = pipeline.start(interval=parsed.checkpoint_interval, without_state=parsed.without_state)
    if parsed.detach:
        return status
    with pipeline.attended():
        return stay(pipeline)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidemark-streaming", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start a pipeline from its newest state", allow_abbrev=False)
    start.add_argument("--detach", action="store_true", help="return once it runs; without it, stop it at a signal")
    start.add_argument(
        "--checkpoint-interval", type=interval, default=DEFAULT_INTERVAL, help="how often files land; default 10s"
    )
    start.add_argument(
        "--without-state", action="store_true", help="begin a new incarnation where the slot stands; needs a copy after"
    )
    resume = commands.add_parser(
        "resume", help="start it again if it was killed, detached and from its last checkpoint", allow_abbrev=False
    )
    stop = commands.add_parser("stop", help="stop it with a savepoint", allow_abbrev=False)
    status = commands.add_parser("status", help="say how it is", allow_abbrev=False)
    for command in (start, resume, stop, status):
        command.add_argument("--source", required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
