"""Of tests marked `drawn(number)` a module runs so many, drawn anew; all where all variants are asked for.

With `drawn(number, among="…")` it is so many of all modules that say the same.
"""

import random
from collections import defaultdict

import pytest

from tests.variants import ALL


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    groups = defaultdict(list)
    for item in items:
        if (mark := item.get_closest_marker("drawn")) and not ALL:
            groups[mark.kwargs.get("among", item.path), *mark.args].append(item)
    left_out = [
        item for (_, number), some in groups.items() for item in random.sample(some, max(0, len(some) - number))
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
