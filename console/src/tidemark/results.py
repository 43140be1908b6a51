"""What a job's summary looks like to a person; scripts get it as it is."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from tidemark.output import data_console, print_json
from tidemark.status.format import count, seconds

Facts = Mapping[str, Any]


def show_facts(what: str, facts: Facts, *, as_json: bool) -> None:
    """Print a summary as one line of names and values."""
    if as_json:
        print_json(facts)
        return
    words = ", ".join(
        f"{key.replace('_', ' ')} {_plain(value)}" for key, value in facts.items() if _telling(key, value)
    )
    data_console().print(Text(f"{what}: {words}" if words else f"{what}: done"), soft_wrap=True)


def show_sync(facts: Facts, *, as_json: bool) -> None:
    """Print a published mark."""
    if as_json:
        print_json(facts)
        return
    if facts.get("mark") is None:
        data_console().print(Text("nothing to publish"))
        return
    changes = count(facts.get("changes"))
    took = f", {seconds(facts['seconds'])}" if "seconds" in facts else ""
    data_console().print(Text(f"mark {facts['mark']} published: {changes} changes{took}"), soft_wrap=True)


def show_copy(facts: Facts, *, as_json: bool) -> None:
    """Print what was copied."""
    show_facts("copied", facts, as_json=as_json)


def show_stream(facts: Facts, *, as_json: bool) -> None:
    """Print how the stream is after a start or stop."""
    show_facts("stream", facts, as_json=as_json)


def show_proof(facts: Facts, *, as_json: bool) -> None:
    """Print which tables were proven equal at which mark, and where those that are not differ."""
    if as_json:
        print_json(facts)
        return
    console = data_console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("table", "proof", "rows"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for entry in facts.get("tables", ()):
        equal = bool(entry.get("equal"))
        proof = Text("equal" if equal else "DIFFERENT", style="green" if equal else "bold red")
        table.add_row(Text(str(entry["table"])), proof, count(entry.get("rows")))
    console.print(table)
    for entry in facts.get("tables", ()):
        if not entry.get("equal"):
            console.print(Text(f"{entry['table']}: {entry.get('details', '')}"), soft_wrap=True)


def _telling(key: str, value: object) -> bool:
    return value not in (None, "", []) and key not in ("source", "job")


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(entry)}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_plain(entry) for entry in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
