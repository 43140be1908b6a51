"""docs/exactness.md, rendered from the cases: `make docs`."""

from collections.abc import Iterable
from itertools import groupby

from tests.exactness.cases import Case, load_cases

HEAD = """# What a database may do, and what the lake shows

Rendered from `tests/exactness/cases` by `make docs`. Every case is played on a real PostgreSQL through a real stream;
`make test-exactness` runs them all, `make prove` also while the stream is cut off or killed over and over. *Equal*
says that each table, exported, is byte for byte what `COPY` writes inside the mark's own snapshot. A table that is
*stale* or *suspect* is in no mark: nobody reads a wrong row of it. `tidemark status` names it with the reason,
`tidemark copy` (of a suspect one also `tidemark verify`) brings it back, and its siblings are not touched.
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
