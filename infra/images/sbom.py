"""Say what is in an image, as CycloneDX: Python distributions, jars with their SHA-256, packages of Debian.

    docker run --rm --interactive --entrypoint python IMAGE - < infra/images/sbom.py > sbom.json

It runs inside of the image, so it tells what is there and not what was meant to be.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

PLACES = ("/opt",)
JAR = re.compile(r"(?P<name>.+?)-(?P<version>\d[\w.]*(?:-[\w.]+)*)\.jar")
Component = dict[str, object]


def main() -> None:
    components = [*python(), *jars(), *debian()]
    print(
        json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}, indent=1)
    )


def python() -> Iterator[Component]:
    found = {re.sub("[-_.]+", "-", d.metadata["Name"]).lower(): d for d in distributions()}
    for name, each in sorted(found.items()):
        component = entry(name, each.version, f"pkg:pypi/{name}@{each.version}")
        if said := each.metadata.get("License-Expression"):
            component["licenses"] = [{"expression": said}]
        yield component


def jars() -> Iterator[Component]:
    """Give each file once: folders may be reached by several ways."""
    seen = {}
    for place in PLACES:
        for folder, _, names in os.walk(place):
            for name in names:
                if name.endswith(".jar"):
                    seen.setdefault((Path(folder) / name).resolve(), name)
    for file, name in sorted(seen.items()):
        found = JAR.fullmatch(name)
        title, version = (found["name"], found["version"]) if found else (name, "unknown")
        component = entry(title, version, f"pkg:generic/{title}@{version}")
        component["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}]
        yield component


def debian() -> Iterator[Component]:
    words = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\n"]
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        name, version, architecture = line.split()
        yield entry(name, version, f"pkg:deb/debian/{name}@{version}?arch={architecture}")


def entry(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


if __name__ == "__main__":
    main()
