"""docs/platform.md, rendered from platform.yaml: what is asked of the platform, item by item; `make docs`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.guarantees import links

HEAD = """# What is asked of the platform, and what shows it

Rendered from `tests/platform.yaml` by `make docs`. `tests/compose` runs in containers; `tests/orchestration` runs the
same services as processes, on a real PostgreSQL, with what AWS does played by moto's server. `tests/infra` applies
Terraform on two AWS that run on this machine, `tests/kubernetes` runs on a real cluster.
"""


def items() -> dict[str, list[dict[str, Any]]]:
    """Give the items by section; each is `what` is asked, `how` it is done, and its `tests`."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def render() -> str:
    """Give the page."""
    return "\n".join([HEAD, *(f"## {section}\n\n{''.join(_table(lines))}" for section, lines in items().items())])


def _table(lines: list[dict[str, Any]]) -> Iterator[str]:
    yield "| What is asked | How | Shown by |\n|---|---|---|\n"
    for line in lines:
        yield f"| {line['what']} | {line['how']} | {links(line['tests'])} |\n"


if __name__ == "__main__":
    print(render(), end="")
