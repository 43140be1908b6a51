"""docs/guarantees.md, rendered from guarantees.yaml: each promise with the tests that show it; `make docs`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
HEAD = """# What is promised, and what shows it

Rendered from `tests/guarantees.yaml` by `make docs`. Each line names the tests that would fail if it were not so. All
of them run on the real engines: PostgreSQL (embedded, and in containers), Flink, Spark, Delta; nothing is simulated
but landing files in `tests/jobs`, which are written as the stream writes them. [exactness.md](exactness.md) has a
line for everything that applications and administrators were seen to do to a database, and what the lake shows then:
`tests/exactness`.
"""


def promises() -> dict[str, list[dict[str, Any]]]:
    """Give the promises by section; each is `what` happens, what the `lake` shows, and its `tests`."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def missing(tests: list[str]) -> list[str]:
    """Give those of the tests (path, or path::function) that do not exist."""
    return [test for test in tests if not _exists(*test.partition("::")[::2])]


def _exists(path: str, function: str) -> bool:
    file = ROOT / path
    if not function:
        return file.exists()
    return file.is_file() and bool(re.search(rf"^def {re.escape(function)}\(", file.read_text(encoding="utf-8"), re.M))


def render() -> str:
    """Give the page; what is written by hand follows the promises."""
    return "\n".join([HEAD, *(f"## {section}\n\n{_table(lines)}" for section, lines in promises().items()), _rest()])


def _table(lines: list[dict[str, Any]]) -> str:
    return "| What happens | What the lake shows | Shown by |\n|---|---|---|\n" + "".join(_rows(lines))


def _rows(lines: list[dict[str, Any]]) -> Iterator[str]:
    for line in lines:
        yield f"| {line['what']} | {line['lake']} | {links(line['tests'])} |\n"


def links(tests: list[str]) -> str:
    """Give tests by their names, each leading to its file."""
    return "<br>".join(f"[{_name(test)}](../{test.partition('::')[0]})" for test in tests)


def _name(test: str) -> str:
    path, _, function = test.partition("::")
    return (function or Path(path).stem).removeprefix("test_").replace("_", " ")


def _rest() -> str:
    """Give what is written by hand: the part of the page that begins with the newest long run."""
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    return page[page.index("## The newest long run") :]


if __name__ == "__main__":
    print(render(), end="")
