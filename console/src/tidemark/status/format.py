"""Numbers as people read them; a dash for what is not known."""


def seconds(value: float | None) -> str:
    """Write a span of time."""
    if value is None:
        return "–"
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def size(value: float | None) -> str:
    """Write a number of bytes."""
    if value is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(value: int | None) -> str:
    """Write a number of things."""
    return "–" if value is None else f"{value:,}"
