"""Of tests marked `drawn(number)` a module runs so many, drawn anew; all where all variants are asked for."""

import random
from collections import defaultdict

import pytest

from tests.variants import ALL


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    modules = defaultdict(list)
    for item in items:
        if (mark := item.get_closest_marker("drawn")) and not ALL:
            modules[item.path, *mark.args].append(item)
    left_out = [
        item for (_, number), some in modules.items() for item in random.sample(some, max(0, len(some) - number))
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
