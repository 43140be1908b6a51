"""`python -m tidemark_orchestration pools`: what an Airflow has to have before the DAGs run in it, as JSON."""

import json
import os
import sys
from pathlib import Path

from tidemark_contract.errors import EXIT_OK, SettingsError, TidemarkError
from tidemark_contract.outlines import load_outlines
from tidemark_orchestration.pools import pools


def main(words: list[str]) -> int:
    """Print the pools of all sources, as `airflow pools import` reads them."""
    if words != ["pools"]:
        print("usage: python -m tidemark_orchestration pools", file=sys.stderr)
        return 2
    try:
        print(json.dumps(pools(load_outlines(_specs())), indent=1))
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return EXIT_OK


def _specs() -> Path:
    if folder := os.environ.get("TIDEMARK_SPECS"):
        return Path(folder)
    raise SettingsError("TIDEMARK_SPECS is not set: the folder with <source>/source.yaml")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
