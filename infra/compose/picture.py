"""The picture of compose.yaml in docs/orchestration.md: who talks to whom, as their settings say; `make docs`.

An arrow is an address of another service in what a service is told; a dotted one, what it waits for to end.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "orchestration.md"
BEGIN, END = "<!-- rendered from infra/compose/compose.yaml by make docs -->", "<!-- until here -->"
SPOKEN = {"postgresql+psycopg2": "SQL", "redis": "Redis", "http": "HTTP"}
# A database or a queue keeps something; a one-shot has ended before the others begin.
SHAPES = {"postgres": ("[(", ")]"), "redis": ("[(", ")]"), "init": ("([", "])")}


def services() -> dict[str, dict[str, Any]]:
    """Give the services as they stand in the file, with what YAML's anchors say; variables are left as they are."""
    file = Path(__file__).with_name("compose.yaml")
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))["services"])


def calls() -> Iterator[tuple[str, str, str]]:
    """Give who calls whom, and what is spoken there."""
    names = "|".join(services())
    address = re.compile(rf"([\w+]+)://(?:[^@/\s]*@)?({names})(?::\d+)?(?=/)")
    for caller, facts in services().items():
        told = " ".join(map(str, facts.get("environment", {}).values()))
        yield from dict.fromkeys((caller, callee, SPOKEN[scheme]) for scheme, callee in address.findall(told))


def lines() -> Iterator[str]:
    """Give the picture, in Mermaid's words."""
    yield "flowchart LR"
    for name, facts in services().items():
        left, right = SHAPES.get(name, ("[", "]"))
        yield f'  {name}{left}"{name}{_aside(facts)}"{right}'
    for name, facts in services().items():
        yield from (f"  you((you)) -->|{port.rpartition(':')[2]}| {name}" for port in facts.get("ports", []))
    yield from (f"  {caller} -->|{spoken}| {callee}" for caller, callee, spoken in calls())
    for name, facts in services().items():
        ended = {"condition": "service_completed_successfully"}
        yield from (f"  {one} -.-> {name}" for one, how in facts.get("depends_on", {}).items() if how == ended)


def _aside(facts: dict[str, Any]) -> str:
    return f"<br/>profile {', '.join(facts['profiles'])}" if "profiles" in facts else ""


def render() -> str:
    """Give the page with the picture as it has to be."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    picture = "\n".join(lines())
    return f"{before}{BEGIN}\n```mermaid\n{picture}\n```\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    print(render(), end="")
