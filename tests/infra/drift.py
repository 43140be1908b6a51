"""What a second plan would change, less what is known of the emulators."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Known = dict[tuple[str, str], str]


def known() -> Known:
    """Give the reason by type of resource and attribute."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return {(kind, name): why for kind, names in (yaml.safe_load(text) or {}).items() for name, why in names.items()}


def changes(plan: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Give each attribute that a plan would change, and what of it; `*` for a resource that it would make or end."""
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        if change["actions"] in (["no-op"], ["read"]):
            continue
        if change["actions"] != ["update"]:
            yield (resource["type"], "*"), f"{resource['address']}: {change['actions']} {change.get('replace_paths')}"
            continue
        before, after, unknown = change["before"], change["after"], change["after_unknown"]
        for name in sorted({*before, *after, *unknown}):
            if before.get(name) != after.get(name) or _is_unknown(unknown.get(name)):
                told = f"{before.get(name)!r} -> {after.get(name)!r}"
                yield (resource["type"], name), f"{resource['address']}: {name}: {told}"


def _is_unknown(value: Any) -> bool:
    """Tell whether anything within is known only once it is applied."""
    if isinstance(value, dict):
        return any(map(_is_unknown, value.values()))
    return any(map(_is_unknown, value)) if isinstance(value, list) else bool(value)
