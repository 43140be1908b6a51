"""The `.tidemark` folder that `make setup` fills: environments, jars, PostgreSQL binaries."""

import os
import sys
from pathlib import Path

from tidemark_contract.errors import ConfigurationError


def home() -> Path:
    """Find it: TIDEMARK_HOME, else the `.tidemark` that this Python's environment lies in."""
    if explicit := os.environ.get("TIDEMARK_HOME"):
        return Path(explicit).absolute()
    for folder in Path(sys.prefix).absolute().parents:
        if folder.name == ".tidemark":
            return folder
    raise ConfigurationError("TIDEMARK_HOME is not set and this Python is not in a .tidemark folder: run `make setup`")
