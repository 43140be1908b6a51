"""The pools: what writes to the lake of one source goes one after the other."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tidemark_contract.errors import SettingsError
from tidemark_contract.names import pool_name
from tidemark_contract.outlines import Outline


def pools(sources: Iterable[Outline]) -> dict[str, dict[str, object]]:
    """Give what `airflow pools import` reads."""
    return {
        pool_name(source.name): {
            "slots": 1,
            "description": f"what writes to the lake of {source.name}",
            "include_deferred": True,
        }
        for source in sources
    }


def specs(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder whose sources have to have one."""
    if folder := environment.get("TIDEMARK_SPECS"):
        return Path(folder)
    raise SettingsError("TIDEMARK_SPECS is not set: the folder with <source>/source.yaml")
