"""`python -m tidemark_orchestration.bundles`: publish DAG files to S3, promote a version, and carry it to a disk.

    publish FOLDER [--label TEXT]   store a folder as a version; print its name
    promote VERSION [--unchecked]   parse it, and let new runs begin with it; an older one is a rollback
    list                            print all versions, the newest last, with a * at the promoted one
    carry FOLDER [--every SECONDS]  keep FOLDER/current at the promoted version, for an Airflow without this bundle

All take --url s3://bucket/prefix, or TIDEMARK_DAGS.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN, TidemarkError
from tidemark_orchestration.bundles.checking import check
from tidemark_orchestration.bundles.local import bring_current
from tidemark_orchestration.bundles.store import Store

URL = "TIDEMARK_DAGS"


def publish(store: Store, options: argparse.Namespace) -> None:
    """Store a folder, and print the version."""
    print(store.publish(options.folder, options.label).version)


def promote(store: Store, options: argparse.Namespace) -> None:
    """Promote a version that can be parsed."""
    if not options.unchecked:
        with tempfile.TemporaryDirectory() as folder:
            store.fetch(options.version, Path(folder))
            check(Path(folder))
    store.promote(options.version)


def list_(store: Store, _: argparse.Namespace) -> None:
    """Print the versions."""
    published = store.versions()
    current = store.current() if published else ""
    for there in published:
        mark = "*" if there.version == current else " "
        print(f"{mark} {there.version}  {there.at:%Y-%m-%d %H:%M:%S}  {there.label}".rstrip())


def carry(store: Store, options: argparse.Namespace) -> None:
    """Bring the promoted version to a folder, once or for ever; what cannot be done now is told and tried again."""
    while True:
        try:
            print(bring_current(store, options.folder), flush=True)
        except (TidemarkError, BotoCoreError, ClientError, OSError) as error:
            if not options.every:
                raise
            print(error, file=sys.stderr, flush=True)
        if not options.every:
            return
        time.sleep(options.every)


def parser() -> argparse.ArgumentParser:
    """Describe the words."""
    made = argparse.ArgumentParser(prog="tidemark_orchestration.bundles", description=__doc__.partition("\n")[0])
    made.add_argument("--url", default=os.environ.get(URL, ""), help=f"s3://bucket/prefix; default ${URL}")
    commands = made.add_subparsers(required=True)

    def add(name: str, do: Callable[[Store, argparse.Namespace], None]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=do.__doc__)
        command.set_defaults(do=do)
        return command

    publishing = add("publish", publish)
    publishing.add_argument("folder", type=Path)
    publishing.add_argument("--label", default="", help="for people: a commit, a tag")
    promoting = add("promote", promote)
    promoting.add_argument("version")
    promoting.add_argument("--unchecked", action="store_true", help="do not parse it first")
    add("list", list_)
    carrying = add("carry", carry)
    carrying.add_argument("folder", type=Path)
    carrying.add_argument("--every", type=float, default=0.0, help="seconds between two looks; default: look once")
    return made


def main(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Do it; give the exit code."""
    options = parser().parse_args(words)
    try:
        options.do(Store(options.url, boto3.client("s3")), options)
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except (BotoCoreError, ClientError) as error:
        print(f"{options.url}: {error}", file=sys.stderr)
        return EXIT_TRY_AGAIN
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
