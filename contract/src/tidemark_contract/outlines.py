"""Sources in outline: what schedules them has to know it in milliseconds, and reads no spec of a table."""

import os
from dataclasses import dataclass
from pathlib import Path

from tidemark_contract.specs import SOURCE_FILE, check_folder, read_source_file, source_folders

SUFFIX = ".yaml"


@dataclass(frozen=True)
class Outline:
    """A source, and the `TableName.path` of each of its tables: what their spec files are called.

    `specs` is the folder that it was found in, with those of other sources.
    """

    name: str
    owner: str
    description: str
    paths: frozenset[str]
    specs: Path


def load_outlines(specs: Path) -> tuple[Outline, ...]:
    """Give every source below a folder, by name; raises SpecError for a source.yaml that is wrong."""
    return tuple(_outline(folder) for folder in source_folders(specs))


def _outline(folder: Path) -> Outline:
    name, owner, description = read_source_file(folder)
    check_folder(folder, name)
    # By their names alone: a thousand Path objects cost more than all else that is parsed.
    tables = (name for name in os.listdir(folder) if name.endswith(SUFFIX) and name != SOURCE_FILE)
    paths = frozenset(name.removesuffix(SUFFIX) for name in tables)
    return Outline(name, owner, description, paths, folder.parent)
