"""What a data file's entry in the Delta log says of its rows, read from the file's own footer."""

from datetime import date, datetime
from typing import Any

import pyarrow.parquet as pq

_STATISTICS = 32  # columns, as Delta does


def bounds(footer: pq.FileMetaData) -> dict[str, Any]:
    """Give a file's row count, and the bounds of its first columns, in Delta's form."""
    lowest: dict[str, Any] = {}
    highest: dict[str, Any] = {}
    for number, name in enumerate(footer.schema.to_arrow_schema().names[:_STATISTICS]):
        if footer.schema.column(number).path != name:
            break  # a nested column: later numbers are of other columns
        groups = [footer.row_group(g).column(number).statistics for g in range(footer.num_row_groups)]
        lows, highs = [_bound(s and s.min) for s in groups], [_bound(s and s.max) for s in groups]
        if groups and None not in lows and None not in highs:
            lowest[name], highest[name] = min(lows, key=_plain), max(highs, key=_plain)
    return {"numRecords": footer.num_rows, "minValues": lowest, "maxValues": highest}


def _plain(bound: Any) -> Any:
    """All bounds of one column have one type, which the type checker cannot know."""
    return bound


def _bound(value: object) -> int | str | None:
    """Give a bound as Delta writes it; None for types whose form could be rounded to the wrong side."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return value if isinstance(value, str) and len(value) <= _STATISTICS else None
