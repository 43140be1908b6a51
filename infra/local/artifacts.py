"""Fetch jars and PostgreSQL binaries with Maven, and refuse what differs from the committed checksums.

    artifacts.py jars POM FOLDER          what POM names, into FOLDER
    artifacts.py postgres MAJOR FOLDER    a PostgreSQL server for this machine, into FOLDER

The checksums stand in SHA256SUMS: beside each pom, and in infra/local/postgres for the servers.
--write records them instead of comparing: after a version was changed on purpose.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
POSTGRES = {"15": "15.19.0", "16": "16.15.0", "17": "17.11.0", "18": "18.6.0"}
PLATFORMS = ("linux-amd64", "linux-arm64v8", "darwin-amd64", "darwin-arm64v8")
MACHINES = {"x86_64": "amd64", "aarch64": "arm64v8", "arm64": "arm64v8"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="record the checksums instead of comparing them")
    kinds = parser.add_subparsers(dest="kind", required=True)
    jars = kinds.add_parser("jars")
    jars.add_argument("pom", type=Path)
    jars.add_argument("folder", type=Path)
    postgres = kinds.add_parser("postgres")
    postgres.add_argument("major", choices=sorted(POSTGRES))
    postgres.add_argument("folder", type=Path)
    arguments = parser.parse_args()

    folder: Path = arguments.folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename: a run that is killed leaves the old folder or none.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        if arguments.kind == "jars":
            fetched = fetch_jars(arguments.pom, Path(scratch), write=arguments.write)
        else:
            fetched = fetch_postgres(arguments.major, Path(scratch), write=arguments.write)
        shutil.rmtree(folder, ignore_errors=True)
        fetched.rename(folder)
    return 0


def fetch_jars(pom: Path, scratch: Path, *, write: bool) -> Path:
    jars = scratch / "jars"
    maven("-f", str(pom), "dependency:copy-dependencies", f"-Djars={jars}")
    sums = {path.name: sha256(path) for path in jars.glob("*.jar")}
    known = pom.with_name("SHA256SUMS")
    if write:
        write_sums(known, sums)
    check(sums, read_sums(known), known)
    return jars


def fetch_postgres(major: str, scratch: Path, *, write: bool) -> Path:
    known = HERE / "postgres" / "SHA256SUMS"
    here = this_platform()
    if write:
        sums = read_sums(known) if known.exists() else {}
        sums = {name: digest for name, digest in sums.items() if f"-{major}." not in name}
        for name in PLATFORMS:
            jar = copy_postgres(major, name, scratch)
            sums[jar.name] = sha256(jar)
        write_sums(known, sums)
    jar = copy_postgres(major, here, scratch)
    check({jar.name: sha256(jar)}, {k: v for k, v in read_sums(known).items() if k == jar.name}, known)
    server = scratch / "server"
    with zipfile.ZipFile(jar) as archive:
        (packed,) = (name for name in archive.namelist() if name.endswith(".txz"))
        with archive.open(packed) as raw, lzma.open(raw) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            tar.extractall(server)
    # Also for the user that a root's server runs as.
    for path in (server, *server.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    return server


def copy_postgres(major: str, name: str, scratch: Path) -> Path:
    artifact, version = f"embedded-postgres-binaries-{name}", POSTGRES[major]
    maven(COPY, f"-Dartifact=io.zonky.test.postgres:{artifact}:{version}", f"-DoutputDirectory={scratch}")
    return scratch / f"{artifact}-{version}.jar"


def this_platform() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    name = f"{system}-{MACHINES.get(machine, machine)}"
    if name not in PLATFORMS:
        sys.exit(f"artifacts: no PostgreSQL binaries for {name}; there are some for {', '.join(PLATFORMS)}")
    return name


def maven(*arguments: str) -> None:
    # Kept back unless it fails: even a quiet Maven writes colour codes.
    try:
        subprocess.run(
            ["mvn", "-B", "-q", *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        sys.exit("artifacts: mvn is not installed; `make doctor` says how to get it")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.stdout}\nartifacts: Maven ended with {error.returncode}; its message stands above")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(path: Path) -> dict[str, str]:
    pairs = (line.split() for line in path.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def write_sums(path: Path, sums: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def check(found: dict[str, str], known: dict[str, str], where: Path) -> None:
    problems = [f"{name}: not in the list" for name in sorted(found.keys() - known.keys())]
    problems += [f"{name}: in the list, but Maven did not bring it" for name in sorted(known.keys() - found.keys())]
    problems += [
        f"{name}: the checksum differs (expected {known[name]}, got {found[name]})"
        for name in sorted(found.keys() & known.keys())
        if found[name] != known[name]
    ]
    if problems:
        sys.exit(
            "\n  ".join([f"artifacts: what Maven brought is not what {where} lists:", *problems])
            + "\nA damaged download goes away with the file in ~/.m2/repository; nothing was installed."
        )


if __name__ == "__main__":
    sys.exit(main())
