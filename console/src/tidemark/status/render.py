"""Status for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidemark.status.format import count, seconds, size
from tidemark.status.report import Report, TableReport

STYLES = {"live": "green", "copied": "cyan", "new": "dim", "changed": "yellow", "stale": "red"}


def show(report: Report, console: Console) -> None:
    """Print one source: its tables, its slot and stream, and the mark through which it is verified."""
    table = Table(title=f"source {report.source}", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, right in (("table", 0), ("state", 0), ("rows", 1), ("mark", 1), ("verified", 1), ("lag", 1), ("", 0)):
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=name not in ("table", ""))
    for row in report.tables:
        table.add_row(*_cells(row))
    console.print(table)
    console.print()
    for line in (*_protected(report.tables), _stream(report.stream), _slot(report), _quarantine(report)):
        if line:
            console.print(line, soft_wrap=True)
    published = f"published: {report.published}" if report.published else "no mark is published yet: `tidemark sync`"
    console.print(Text(published), soft_wrap=True)
    console.print(closing_line(report), soft_wrap=True)


def closing_line(report: Report) -> Text:
    """Say through which mark all tables are proven equal."""
    if report.verified is None:
        return Text("not verified yet: `tidemark verify`", style="yellow")
    return Text(f"verified through {report.verified}", style="bold green")


def _cells(row: TableReport) -> tuple[Text, ...]:
    lag = seconds(row.lag_s) if row.lag_bytes is None else f"{seconds(row.lag_s)} / {size(row.lag_bytes)}"
    at, verified = (str(row.at.mark) if row.at else "–"), (str(row.verified) if row.verified else "–")
    cells = (str(row.table), row.state, count(row.rows), at, verified, lag, row.why)
    styles = ("bold", STYLES.get(row.state, ""), "", "", "green" if row.verified else "dim", "", "dim")
    return tuple(Text(cell, style=style) for cell, style in zip(cells, styles, strict=True))


def _protected(tables: Sequence[TableReport]) -> list[Text]:
    return [
        Text(f"protected in {row.table}: {', '.join(f'{name} ({how})' for name, how in row.protected.items())}")
        for row in tables
        if row.protected
    ]


def _stream(stream: Mapping[str, Any]) -> Text:
    state = str(stream.get("state", "unknown"))
    facts = [f"incarnation {stream['incarnation']}"] if stream.get("incarnation") else []
    facts += (
        [f"lag {seconds(stream['lag_s'])} / {size(stream.get('lag_bytes'))}"] if stream.get("lag_s") is not None else []
    )
    facts += [f"{stream['restarts']} restarts"] if stream.get("restarts") else []
    facts += [f"web UI {stream['web_ui']}"] if stream.get("web_ui") else []
    facts += [str(stream["reason"])] if stream.get("reason") else []
    style = "green" if state == "running" else "yellow" if state in ("restarting", "stopped") else "red"
    return Text.assemble("stream: ", (state, style), *(f", {fact}" for fact in facts))


def _slot(report: Report) -> Text:
    health = report.health
    if health.problem:
        return Text(f"source: {health.problem}", style="red")
    return Text(f"slot: {health.slot_state}, holds {size(health.retained_bytes)} of the source's log")


def _quarantine(report: Report) -> Text | None:
    if not report.quarantined:
        return None
    return Text(f"quarantine: {report.quarantined} rows could not be decoded", style="red")
