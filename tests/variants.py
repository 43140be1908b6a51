"""Variants of a test: all of them in `make prove` and in a suite that is run by itself, else one, drawn for each test.

A test's id names its variant; TIDEMARK_ALL=1 asks for all.
"""

import os
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

ALL = bool(os.environ.get("TIDEMARK_ALL"))


def drawn(variants: Sequence[Any]) -> Sequence[Any]:
    """Give all of them, or one: for the params of a fixture."""
    return variants if ALL else [random.choice(variants)]


def any_of(name: str, variants: Sequence[object], *, indirect: bool = False) -> Callable[[Any], Any]:
    """Run a test with the argument (or the fixture, `indirect`) `name` as each of the variants, or as one of them."""

    def decorate(test: Any) -> Any:
        return pytest.mark.parametrize(name, drawn(variants), indirect=indirect)(test)

    return decorate
