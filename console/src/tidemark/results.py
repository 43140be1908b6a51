"""What a job's summary looks like to a person; scripts get it as it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from tidemark.output import data_console, print_json
from tidemark.status.format import count, size

Facts = Mapping[str, Any]
_OF_STREAM = {"reason": "because", "landing": "landing in", "web_ui": "web UI"}


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
    out = f", {facts['out']} tables out of it: `tidemark status`" if facts.get("out") else ""
    line = (
        f"mark {facts['mark']} (LSN {facts['lsn']}, time {facts['taken_at']}): "
        f"{count(facts['changes'])} changes, {facts['tables']} tables{out}"
    )
    data_console().print(Text(line), soft_wrap=True)


def show_copy(facts: Facts, *, as_json: bool) -> None:
    """Print what was copied."""
    show_facts("copied", facts, as_json=as_json)


def show_stream(facts: Facts, *, as_json: bool) -> None:
    """Print how the stream is after a start or stop; how far it is, `status` tells."""
    if as_json:
        print_json(facts)
        return
    words = [str(facts["state"]), *([f"incarnation {facts['incarnation']}"] if facts.get("incarnation") else [])]
    words += [f"{name} {facts[key]}" for key, name in _OF_STREAM.items() if facts.get(key)]
    data_console().print(Text(f"stream: {', '.join(words)}"), soft_wrap=True)


def show_proof(facts: Facts, *, as_json: bool) -> None:
    """Print which tables were proven equal at which mark, and where those that are not differ."""
    if as_json:
        print_json(facts)
        return
    console = data_console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("table", "rows", f"proof at mark {facts['mark']}"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for entry in facts["tables"]:
        table.add_row(Text(entry["table"]), count(entry["rows"]), proof_text(entry["equal"], entry["differing"]))
    console.print(table)
    for entry in facts["tables"]:
        for line in differences(entry):
            console.print(Text(line), soft_wrap=True)


def show_repair(facts: Facts, *, as_json: bool) -> None:
    """Print which keys of which tables were read again."""
    if as_json:
        print_json(facts)
        return
    console = data_console()
    if not facts["tables"]:
        console.print(Text("nothing to repair: equal", "green"))
    for entry in facts["tables"]:
        what = f"{count(entry['differing'])} keys read again at mark {facts['mark']}, of {count(entry['rows'])} rows"
        console.print(Text(f"{entry['table']}: {what}; the next `tidemark sync` takes them in"), soft_wrap=True)
        for line in differences({**entry, "equal": not entry["details"]}):
            console.print(Text(line), soft_wrap=True)


def show_erasure(facts: Facts, *, as_json: bool) -> None:
    """Print what was erased, or would be, and what the proof has read."""
    if as_json:
        print_json(facts)
        return
    console = data_console()
    for line in _dry_run(facts) if facts.get("dry_run") else _erased(facts):
        console.print(Text(line), soft_wrap=True)
    if facts["mentions"]:
        console.print(Text(f"rows of others still say a key's text: {_plain(facts['mentions'])}", "yellow"))
    if facts.get("versioned"):
        words = "the bucket keeps older versions: let a lifecycle rule expire what is noncurrent (docs/erasure.md)"
        console.print(Text(words, "yellow"))


def _dry_run(facts: Facts) -> Iterator[str]:
    yield f"rows that would be removed, by place: {_plain(facts['rows']) or 'none'}"
    if facts["living"]:
        yield f"{count(facts['living'])} rows live at mark {facts['mark']}: delete them in the source first"


def _erased(facts: Facts) -> Iterator[str]:
    gone = facts["deleted"]
    yield f"{count(facts['keys'])} keys erased at mark {facts['mark']}; rows removed: {_plain(facts['removed'])}"
    yield f"{count(gone['objects'])} objects deleted, {size(gone['bytes'])}"
    outcome = f"left: {_plain(facts['left'])}" if facts["left"] else "nothing of them is left"
    yield f"{count(facts['read']['objects'])} objects read, {size(facts['read']['bytes'])}: {outcome}"


def proof_text(equal: bool, differing: int) -> Text:
    """Write the outcome of one table's proof."""
    return Text("equal", "green") if equal else Text(f"{count(differing)} keys DIFFER", "bold red")


def differences(entry: Facts) -> Iterator[str]:
    """Say where a table differs: the range of keys, then each key with its columns, as far as the proof names them."""
    details = [detail for detail in entry["details"] if isinstance(detail, Mapping)]
    if entry["equal"]:
        return
    where = f"keys {details[0]['key']} … {details[-1]['key']}" if details else _plain(entry["details"])
    yield f"{entry['table']}: {where}"
    for detail in details:
        columns = f" in {', '.join(detail['columns'])}" if detail["columns"] else ""
        yield f"  {detail['key']}: {detail['kind']}{columns}"
    if entry["differing"] > len(details):
        yield f"  and {count(entry['differing'] - len(details))} more"


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
