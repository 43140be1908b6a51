"""The settings that are secrets, for a process whose environment others may read: in a pod, or on EMR.

TIDEMARK_SECRETS says where they are; as `file:///folder` it is a folder with one file a setting, as Kubernetes mounts a
Secret. What else it may be is the jobs' affair (`tidemark_jobs.secret_settings`).
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tidemark_contract.errors import SettingsError
from tidemark_contract.protection import HASH_KEY
from tidemark_contract.settings import SECRETS

SCHEME = "file://"
_SECRET = re.compile(rf"TIDEMARK_SOURCE_[A-Z0-9_]+_URL|{HASH_KEY}")


def secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the settings of the folder that TIDEMARK_SECRETS names, none when it is not set; SettingsError."""
    if not (place := environment.get(SECRETS)):
        return {}
    if not place.startswith(SCHEME):
        raise SettingsError(f"{SECRETS} is {place!r}: here it has to be the folder of a mounted Secret, file:///folder")
    try:
        # Kubernetes mounts the values beside hidden folders of its own.
        files = [file for file in Path(unquote(urlsplit(place).path)).iterdir() if not file.name.startswith(".")]
        found = {file.name: file.read_text(encoding="utf-8").strip() for file in files}
    except OSError as error:
        raise SettingsError(f"{SECRETS} is {place!r}, which cannot be read: {error.strerror}") from error
    refuse_others(place, found)
    return found


def refuse_others(place: str, names: Iterable[str]) -> None:
    """Refuse what is no secret setting: it would be read from two places, and nobody could say which counts."""
    if wrong := sorted(name for name in names if not _SECRET.fullmatch(name)):
        raise SettingsError(
            f"{SECRETS} is {place!r}, which holds {', '.join(wrong)}: only TIDEMARK_SOURCE_<NAME>_URL and {HASH_KEY} "
            "belong there"
        )
