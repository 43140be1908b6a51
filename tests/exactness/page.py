"""docs/exactness.md, rendered from the cases: `make docs`."""

from collections.abc import Iterable
from itertools import groupby

from tests.exactness.cases import Case, load_cases

HEAD = """# What a database may do, and what the lake shows

Rendered from `tests/exactness/cases` by `make docs`. Every case is played on a real PostgreSQL through a real stream;
`make test-exactness` runs them all, `make test` a third of them, `make prove` also while the stream is cut off or
killed over and over, with syncs that are killed, and with all that was delivered coming again.

- *equal*: each table, exported, is byte for byte what `COPY` writes inside the mark's own snapshot.
- *copied*: the stream cannot tell what happened. The table is not in the next mark; the sync that finds it copies it
  and publishes another mark, with it, before it ends.
- *stale*: only a person can say what is meant. The table is in no mark, so nobody reads a wrong row of it; `tidemark
  status` names it with the reason and the cure.

Whatever happens to a table, its siblings are not touched.
"""


def render() -> str:
    """Give the page."""
    parts = [HEAD]
    for group, cases in groupby(load_cases(), key=lambda case: case.name.partition("_")[0]):
        parts.append(f"## {group.capitalize()}\n\n| What happens | The lake | Case |\n|---|---|---|\n{_rows(cases)}")
    return "\n".join(parts)


def _rows(cases: Iterable[Case]) -> str:
    return "".join(f"| {case.sentence} | {case.state} | `{case.name}` |\n" for case in cases)


if __name__ == "__main__":
    print(render(), end="")
