"""A small shop with a real stream and a finished copy, for tests in an environment that has no driver for any of it.

Run with the Spark environment's Python and a folder, and a lake's address where it is to lie on S3. Says on stdout, in
a line of JSON each, the settings to work with and then the end of every command that it reads from stdin:
`stop stream`, `stop source`. Removes everything when stdin closes, also by the death of whoever started it.
"""

import json
import signal
import sys
from pathlib import Path

from tidemark.local.builder import Builder
from tidemark.local.stack import Stack
from tidemark.local.steps import Steps
from tidemark_contract.argv import Job

SCALE = 0.005


def main(folder: Path, lake: str | None = None) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack = Stack(folder)
    build = Builder(stack, Steps())
    try:
        make(build, lake)
        tell({name: value for name, value in stack.environment().items() if name.startswith("TIDEMARK_")})
        for line in sys.stdin:
            do(line.strip(), stack)
            tell({"done": line.strip()})
    finally:
        stack.remove()


def make(build: Builder, lake: str | None) -> None:
    build.shop(SCALE)
    if lake:
        settings = build.stack.env_file
        settings.write_text(settings.read_text() + f"export TIDEMARK_LAKE={lake}\n")
    mirror = build.source()
    build.stream(mirror)
    with build.steps.step("copy") as step:
        build.job(mirror, Job("copy", mirror.name), step)


def do(command: str, stack: Stack) -> None:
    if command == "stop stream":
        stack.kill_stream()
    elif command == "stop source":
        stack.server.stop("immediate")
    else:
        raise ValueError(command)


def tell(facts: dict[str, str]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
