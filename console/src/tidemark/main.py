"""Start the command line, and turn every error into one message and an exit code."""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from tidemark.children import pass_interrupts_on
from tidemark.cli import cli
from tidemark.output import CommandFailed, Failure, print_failure
from tidemark_contract.errors import EXIT_FAILED, EXIT_OK, TidemarkError

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with 0, 1, 75 (try again), 78 (configuration), 2 (usage) or 130 (Ctrl-C)."""
    signal.signal(signal.SIGTERM, _interrupt)
    pass_interrupts_on()
    code = run(sys.argv[1:] if arguments is None else list(arguments))
    # Without Python's own teardown: Arrow's threads, which may still be reading ahead through delta-rs, would abort
    # the process in it (apache/arrow#45214).
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code."""
    as_json = "--json" in arguments
    try:
        code = cli.main(args=arguments, prog_name="tidemark", standalone_mode=False)
    except click.exceptions.Abort:
        return _fail(Failure("Interrupted", "interrupted; what was running has been ended", INTERRUPTED), as_json)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CommandFailed as error:
        return _fail(error.failure, as_json)
    except TidemarkError as error:
        return _fail(Failure(type(error).__name__, str(error), error.exit_code), as_json)
    except KeyboardInterrupt:
        return _fail(Failure("Interrupted", "interrupted; what was running has been ended", INTERRUPTED), as_json)
    except BrokenPipeError:
        return _closed_pipe()
    return code if isinstance(code, int) else EXIT_OK


def _fail(failure: Failure, as_json: bool) -> int:
    print_failure(failure, as_json=as_json)
    return failure.exit_code


def _closed_pipe() -> int:
    """End as `head` wants it: without a word, and without Python's own attempt to flush."""
    sys.stderr.close()
    return EXIT_FAILED


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
