"""Where a stream that is started by a machine, and not by a person, begins.

A cluster starts a JobManager whenever one is gone. So the incarnation is part of what is deployed: a number that a
person raises, and by that says that a copy will follow. A start never takes another one, however often it is repeated
and wherever it was cut off.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tidemark_contract.errors import SettingsError
from tidemark_streaming import checkpoints
from tidemark_streaming.incarnations import Incarnations
from tidemark_streaming.stores import open_store, told

_PLACE = "checkpoints"


@dataclass(frozen=True)
class StartingPoint:
    """`restore` is the URL of a checkpoint or savepoint; empty, the stream begins where the slot stands."""

    incarnation: int
    restore: str


def starting_point(
    incarnations: Incarnations, wanted: int, *, checkpoints_of: Callable[[int], str], landing_of: Callable[[int], str]
) -> StartingPoint:
    """Take the wanted incarnation if it is the next one, or go on with it; SettingsError for any other.

    Its claim names the folder of its checkpoints. So one that holds none, though they are looked for where they were
    to be, has completed none, and begins again where the slot stands: nothing has moved since.
    """
    folder = checkpoints_of(wanted)
    if (current := incarnations.current()) < wanted:
        _take(incarnations, wanted, current, folder)
    elif current > wanted:
        raise SettingsError(
            f"incarnation {wanted} is to be run, but {current} has begun since: ask for {current} if it was run here, "
            f"for {current + 1} if not; then `tidemark copy` has to follow"
        )
    if (place := incarnations.facts(wanted).get(_PLACE)) != folder:
        where = f"keeps its checkpoints in {place}" if place else "was begun by `tidemark start`"
        raise SettingsError(
            f"incarnation {wanted} {where}, and not in {folder}: correct the folder, or ask for incarnation "
            f"{wanted + 1}; then `tidemark copy` has to follow"
        )
    if newest := checkpoints.newest(folder):
        return StartingPoint(wanted, newest.url)
    if _holds_files(landing_of(wanted)):
        raise SettingsError(
            f"incarnation {wanted} has landed files, but {folder} holds none of its checkpoints: bring them back, or "
            f"ask for incarnation {wanted + 1}; then `tidemark copy` has to follow"
        )
    return StartingPoint(wanted, "")


def _take(incarnations: Incarnations, wanted: int, current: int, folder: str) -> None:
    if wanted != current + 1:
        raise SettingsError(f"incarnation {wanted} is to be run, but the next one is {current + 1}: ask for that")
    incarnations.claim(wanted, {_PLACE: folder})  # whose it is, is read back


def _holds_files(folder: str) -> bool:
    store = open_store(folder)
    with told(folder):
        return any(entry["path"].startswith("part-") for page in store.list(return_arrow=False) for entry in page)
