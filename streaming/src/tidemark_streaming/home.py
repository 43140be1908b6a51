"""Where Flink, its jars, its plugins and Java are on this machine."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.s3 import SCHEME, S3Access

CONNECTOR = "flink-connector-pgoutput-*.jar"


@dataclass(frozen=True)
class Home:
    """What `make setup` installed.

    `root` is TIDEMARK_HOME; unset, it is the `.tidemark` folder that the running environment lies in.
    """

    root: Path
    flink: Path
    java: Path

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> "Home":
        """Find everything; what is missing is a ConfigurationError that says how to get it."""
        home = cls(_root(environment), _flink(), _java(environment))
        if not home.connectors():
            raise ConfigurationError(f"{home.jars}/{CONNECTOR}: no such jar; run `make setup`, or set TIDEMARK_HOME")
        return home

    @property
    def jars(self) -> Path:
        """Our connector and what Flink lacks to write Parquet."""
        return self.root / "jars" / "flink"

    @property
    def plugins(self) -> Path:
        """One folder per Flink plugin; s3-fs-hadoop comes with `make setup-s3`."""
        return self.root / "plugins" / "flink"

    def file_system(self, lake: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Give Flink's settings for writing to a lake; ConfigurationError when S3's plugin is not here.

        Keys are not among them: the plugin reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY itself.
        """
        if not lake.startswith(SCHEME):
            return {}
        if not list(self.plugins.glob("s3-fs-hadoop/*.jar")):
            raise ConfigurationError(
                f"{self.plugins}/s3-fs-hadoop has no jar, which Flink needs for a lake on S3: run `make setup-s3`"
            )
        return S3Access.read(environment).hadoop()

    def connectors(self) -> list[Path]:
        """Our own jar: it is built here, and may be built again while a pipeline runs."""
        return sorted(self.jars.glob(CONNECTOR))

    def libraries(self) -> list[Path]:
        """The other jars that a pipeline needs beside Flink's."""
        return sorted(set(self.jars.glob("*.jar")) - set(self.connectors()))

    def flink_jars(self) -> list[Path]:
        """Flink's jars."""
        return sorted((self.flink / "lib").glob("*.jar"))

    def archive(self, role: str) -> Path:
        """The file from which a JVM of this role takes Flink's classes ready-made; `make setup` writes it."""
        return self.jars / f"{role}.jsa"

    def archived(self, role: str) -> list[str]:
        """Give a JVM's options for its archive; one of other jars or of another Java is not used, without a word."""
        archive = self.archive(role)
        return (
            [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"] if archive.exists() else []
        )


def _root(environment: Mapping[str, str]) -> Path:
    if explicit := environment.get("TIDEMARK_HOME"):
        return Path(explicit).absolute()
    for folder in Path(sys.prefix).absolute().parents:
        if folder.name == ".tidemark":
            return folder
    raise ConfigurationError("TIDEMARK_HOME is not set and this Python is not in a .tidemark folder: run `make setup`")


def _flink() -> Path:
    # find_spec leaves PyFlink itself, which takes a second to import, alone.
    spec = find_spec("pyflink")
    if spec is None or spec.origin is None:
        raise ConfigurationError("apache-flink is not installed in this environment; run `make setup`")
    return Path(spec.origin).parent


def _java(environment: Mapping[str, str]) -> Path:
    chosen = environment.get("JAVA_HOME")
    found = shutil.which(f"{chosen}/bin/java" if chosen else "java")
    if not found:
        raise ConfigurationError("no Java: install a JDK 17, or set JAVA_HOME to one")
    return Path(found)
