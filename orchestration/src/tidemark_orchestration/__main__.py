"""`python -m tidemark_orchestration pools`: what an Airflow has to have before the DAGs run in it, as JSON."""

import json
import sys

from tidemark_contract.errors import EXIT_OK, TidemarkError
from tidemark_contract.outlines import load_outlines
from tidemark_orchestration.pools import pools, specs


def main(words: list[str]) -> int:
    """Print the pools of all sources, as `airflow pools import` reads them."""
    if words != ["pools"]:
        print("usage: python -m tidemark_orchestration pools", file=sys.stderr)
        return 2
    try:
        print(json.dumps(pools(load_outlines(specs())), indent=1))
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
