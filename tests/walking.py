"""Files below a folder in which others are at work: pathlib's globs fail when a folder goes while they look into it."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Give the files below a folder; links are not followed."""
    for within, _, names in os.walk(folder):
        yield from (Path(within, name) for name in names)


def content_of(file: Path) -> bytes:
    """Give what is in a file; nothing of one that has gone."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
