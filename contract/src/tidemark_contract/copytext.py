r"""The text format of COPY: one row a line, tabs between columns, `\N` for NULL."""

from collections.abc import Sequence

NULL = r"\N"
_ESCAPES = {"\\": r"\\", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_ESCAPING = str.maketrans(_ESCAPES)
_UNESCAPES = {escaped[1]: raw for raw, escaped in _ESCAPES.items()}


def encode_row(values: Sequence[str | None]) -> str:
    """Write one row as COPY does, without the line end."""
    return "\t".join(NULL if value is None else value.translate(_ESCAPING) for value in values)


def decode_row(line: str) -> list[str | None]:
    """Read one line of COPY text, without its line end."""
    return [None if field == NULL else _unescape(field) for field in line.split("\t")]


def _unescape(field: str) -> str:
    if "\\" not in field:
        return field
    characters = iter(field)
    return "".join(_UNESCAPES[next(characters)] if c == "\\" else c for c in characters)
