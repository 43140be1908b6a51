"""The pools: what writes to the lake of one source goes one after the other."""

from collections.abc import Iterable

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
