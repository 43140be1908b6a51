"""The cases: SQL files that say what is done before the copy, while the stream runs, and after a first mark.

    -- What happens, in a sentence.
    -- verdict: equal                        (or: copied; or: stale, then a pattern that the reason has to match)
    -- spec: on_schema_change: freeze        (a line for the specs of its tables; there may be several)
    -- protect: ssn hash, note drop          (columns that are protected, in whichever table)
    -- long                                  (takes many seconds: only where all cases are asked for)
    CREATE TABLE t (…);

    -- while streaming
    UPDATE t …;

    -- in b
    BEGIN;

    -- after a mark
    …

Blocks are set apart by empty lines and sent one by one; `-- in NAME` sends a block through another session. A block
that begins with COPY … FROM STDIN has its rows in the lines that follow. Each case has a schema of its own.
"""

import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.variants import ALL

FOLDER = Path(__file__).with_name("cases")
SECTIONS = ("before", "while streaming", "after a mark")
EQUAL, COPIED, STALE = "equal", "copied", "stale"
_HEAD = re.compile(
    r"-- (?P<sentence>.+)\n(?:-- verdict: (?P<state>\w+)(?:, (?P<reason>.+))?\n)?(?P<spec>(?:-- spec: .+\n)*)"
    r"(?:-- protect: (?P<protect>.+)\n)?(?P<long>-- long\n)?"
)


@dataclass(frozen=True)
class Block:
    """One statement or more that are sent together, and the session that sends them."""

    session: str
    text: str


@dataclass(frozen=True)
class Case:
    """What is done to the tables of one schema, and how that has to end."""

    name: str  # of its folder and file, and of its schema
    sentence: str
    state: str
    reason: str
    spec: str
    protect: dict[str, str]
    long: bool
    sections: dict[str, tuple[Block, ...]]

    @property
    def keeps(self) -> bool:
        """Tell whether its tables keep what was: deleted rows, or a history."""
        return "soft" in self.spec or "scd2" in self.spec


def load_cases() -> list[Case]:
    """Read all cases."""
    return [_parse(path) for path in sorted(FOLDER.glob("*/*.sql"))]


def write_case(case: Case) -> str:
    """Give a case as its file."""
    parts = ["\n".join([f"-- {case.sentence}", *(f"-- spec: {line}" for line in case.spec.splitlines())])]
    for name, blocks in case.sections.items():
        texts = [f"-- in {block.session}\n{block.text};" if block.session else f"{block.text};" for block in blocks]
        head = [] if name == SECTIONS[0] else [f"-- {name}"]
        parts.append("\n\n".join([*head, *texts]) if texts else "")
    return "\n\n".join(part for part in parts if part) + "\n"


@cache
def chosen_cases() -> tuple[Case, ...]:
    """Give all cases, or a third of each verdict's that are not long, drawn anew for each run.

    Those with protected columns are always among them: their values are looked for in all that the run leaves behind.
    TIDEMARK_CASES="schema_renamed protected" asks for those whose names begin so; test_protection.py needs some
    with protected columns.
    """
    if names := tuple(os.environ.get("TIDEMARK_CASES", "").split()):
        return tuple(case for case in load_cases() if case.name.startswith(names))
    if ALL:
        return tuple(load_cases())
    protected = [case for case in load_cases() if case.protect]
    cases = [case for case in load_cases() if not case.long and not case.protect]
    verdicts = sorted({case.state for case in cases})
    groups = [[case for case in cases if case.state == verdict] for verdict in verdicts]
    return (*protected, *(case for group in groups for case in random.sample(group, -(-len(group) // 3))))


def _parse(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    assert head, f"{path} does not begin with a sentence"
    sections: dict[str, list[Block]] = {name: [] for name in SECTIONS}
    section = SECTIONS[0]
    for block in re.split(r"\n{2,}", text[head.end() :].strip()):
        first, _, rest = block.partition("\n")
        begins = first.removeprefix("-- ") in SECTIONS
        section = first.removeprefix("-- ") if begins else section
        sections[section] += _blocks(rest if begins else block)
    blocks = {name: tuple(found) for name, found in sections.items()}
    return Case(
        f"{path.parent.name}_{path.stem}",
        head["sentence"],
        head["state"] or EQUAL,
        head["reason"] or "",
        head["spec"].replace("-- spec: ", ""),
        dict(column.split() for column in (head["protect"] or "").split(", ") if column),
        bool(head["long"]),
        blocks,
    )


def _blocks(text: str) -> Iterator[Block]:
    if match := re.match(r"-- in (\w+)\n", text):
        yield Block(match[1], text[match.end() :])
    elif text:
        yield Block("", text)
