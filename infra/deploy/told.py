"""What a person is told while something goes on: a line for each step, on stderr."""

import sys


def tell(line: str) -> None:
    """Say it now."""
    print(f"deploy: {line}", file=sys.stderr, flush=True)
