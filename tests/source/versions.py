"""The server's major versions that a promise is tested on."""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

VERSIONS = (15, 17, 18)
ASKED = os.environ.get("TIDEMARK_VERSIONS")


def every_version(test: Callable[..., Any]) -> Callable[..., Any]:
    """Run a test on the versions of TIDEMARK_VERSIONS, as `make prove` does on all; else on one, drawn for each test.

    The test's id names the version, which so can be asked for again.
    """
    asked = [int(version) for version in ASKED.split(",")] if ASKED else [random.choice(VERSIONS)]
    return pytest.mark.parametrize("major", asked)(test)
