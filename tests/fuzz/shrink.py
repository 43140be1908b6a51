"""A case that went wrong, made as short as it can be and still go wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.exactness.cases import SECTIONS, Block, Case

Fails = Callable[[Sequence[Case]], set[str]]
"""Plays cases, and gives the names of those that go wrong."""
Step = tuple[str, Block]
AT_ONCE = 12


def shrink(case: Case, fails: Fails, *, rounds: int = 8) -> Case:
    """Take away what is not needed, half of it at first, then less: delta debugging, many candidates at a time."""
    steps: list[Step] = [(section, block) for section in SECTIONS[1:] for block in case.sections[section]]
    parts = 2
    for _ in range(rounds):
        candidates = _candidates(steps, parts)
        named = {f"{case.name}_{n}": _with(case, some, f"{case.name}_{n}") for n, some in enumerate(candidates)}
        failing = fails(list(named.values()))
        shorter = [some for n, some in enumerate(candidates) if f"{case.name}_{n}" in failing]
        if shorter:
            steps, parts = min(shorter, key=len), max(2, parts - 1)
        elif parts >= min(AT_ONCE, len(steps)):
            break
        else:
            parts = min(parts * 2, AT_ONCE, len(steps))
    return _with(case, steps, case.name)


def _candidates(steps: Sequence[Step], parts: int) -> list[list[Step]]:
    """Each leaves one part out."""
    size = -(-len(steps) // parts)
    return [[*steps[:start], *steps[start + size :]] for start in range(0, len(steps), size)]


def _with(case: Case, steps: Sequence[Step], name: str) -> Case:
    sections = {section: tuple(block for at, block in steps if at == section) for section in SECTIONS[1:]}
    return replace(case, name=name, sections={SECTIONS[0]: case.sections[SECTIONS[0]], **sections})
