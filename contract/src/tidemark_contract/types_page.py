"""docs/types.md, rendered from the contract: `python -m tidemark_contract.types_page > docs/types.md`."""

import sys
from collections.abc import Iterator, Sequence

from tidemark_contract.names import DELTA_COLUMNS, RESERVED_COLUMNS, silver_columns
from tidemark_contract.types import FIXED, MAX_DECIMAL_PRECISION, Codec, silver_type

_HEAD = """\
# Types

PostgreSQL's own text form of a value is the canonical one: what `COPY` writes, the stream carries and proofs hash.
A silver column has a type that holds a value exactly. A value that it can't hold is kept as PostgreSQL's text in the
row's `_exact` map, under the column's PostgreSQL name, and the typed column is NULL: the value is `_exact['name']`
where there is one, else the typed column. Copy and stream give the same values, and `tidemark export` writes the text
back, byte for byte as `COPY` does.

A protected column (`protect: hash` or `mask`) is a `string` whatever its type, and what was stored of it is what is
written back ([specs.md](specs.md#protected-columns)).

(This page is rendered from `contract/`: `make docs` writes it.)

| PostgreSQL | silver (Spark) | codec | goes to `_exact` | written back as |
|---|---|---|---|---|
"""
_TIMES = "`infinity`, `-infinity`, before year 1, after year 9999"
_EXACT = {
    Codec.DECIMAL: "`NaN`",
    Codec.DATE: _TIMES,
    Codec.TIMESTAMP: _TIMES,
    Codec.TIMESTAMP_NTZ: _TIMES,
}
_BACK = {
    Codec.INTEGER: "its digits",
    Codec.DECIMAL: "its digits, with the whole scale",
    Codec.BOOLEAN: "`t` or `f`",
    Codec.FLOAT: "the shortest digits that read back the same: `0.1`, `1e+16`, `-0`, `NaN`, `Infinity`",
    Codec.DATE: "`2026-01-02`",
    Codec.TIMESTAMP: "`2026-01-02 03:04:05.6+00`, in UTC",
    Codec.TIMESTAMP_NTZ: "`2026-01-02 03:04:05.6`",
    Codec.BINARY: "`\\x00ff`",
    Codec.TEXT: "the same text",
}
# What stands for types that no table of names could list: (as shown, one of them).
_OTHERS = (
    (f"`numeric(12,2)`: precision up to {MAX_DECIMAL_PRECISION}, scale from 0 to the precision", "numeric(12,2)"),
    ("any other `numeric`: bare, wider, with a scale below 0 or above the precision", "numeric"),
    ("`timestamp with time zone`, any precision", "timestamp with time zone"),
    ("`timestamp without time zone`, any precision", "timestamp(3) without time zone"),
    ("`text`, `character varying(n)`, `character(n)` (with its blanks), `name`, `uuid`", "character(5)"),
    ("`json` (repeated keys and blanks too), `jsonb`, `xml`", "json"),
    ("`time`, `time with time zone`, `interval`", "interval"),
    ("`money` (as the database's `lc_monetary` writes it)", "money"),
    ("arrays, composite types, ranges, multiranges, enums", "integer[]"),
    ("domains, whatever they are over", "public.positive"),
    ("every other type: `inet`, `bit`, `point`, `tsvector`, `pg_lsn`, those of extensions, your own", "inet"),
)


def render() -> str:
    """Give the page."""
    rows = [*((f"`{name}`", name) for name in FIXED), *_OTHERS]
    table = "".join(f"| {' | '.join(_cells(shown, name))} |\n" for shown, name in rows)
    return _HEAD + table + "".join(f"\n{paragraph}\n" for paragraph in _names())


def _cells(shown: str, name: str) -> tuple[str, ...]:
    silver = silver_type(name)
    exact, back = _EXACT.get(silver.codec, "nothing"), _BACK[silver.codec]
    return shown, f"`{silver.spark}`", silver.codec.value, exact, back


def _names() -> Iterator[str]:
    silver = silver_columns(["order total", "path", "Id", "ID"])
    changed = ", ".join(f"`{name}` → `{new}`" for name, new in silver.items() if name != new)
    yield "## Names of columns"
    yield (
        "A column keeps its name. What Delta refuses in one is written as `~` and its hex code. `~` follows a name\n"
        "that is taken, whatever its case: by a column before it, by us, or by Delta, which fails to read a table, or\n"
        "to delete from it, where a column is called like one of its own.\n"
        f"For instance {changed} (where there is an `Id`)."
    )
    yield f"Taken by us: {_listed([name for name in RESERVED_COLUMNS if name not in DELTA_COLUMNS])}."
    yield f"Taken by Delta: {_listed(DELTA_COLUMNS)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(render())
