"""Say what this machine lacks for tidemark, and how to get it. Runs with the standard library, from Python 3.8 on."""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

CONFIGURATION = 78  # EX_CONFIG of sysexits.h: running again will not help
FREE_GB = 8
PORTS = {8080: "Airflow's API and pages", 8081: "Flink's pages"}

CURES = {
    "Python 3.11": (
        "apt-get install python3.11 python3.11-venv",
        "brew install python@3.11",
    ),
    "JDK 17": (
        "apt-get install openjdk-17-jdk-headless",
        'brew install openjdk@17, then export JAVA_HOME="$(brew --prefix openjdk@17)" PATH="$JAVA_HOME/bin:$PATH"',
    ),
    "Maven": ("apt-get install maven", "brew install maven"),
    "make": ("apt-get install make", "xcode-select --install"),
    "free disk": ("make room on the disk of this folder", "make room on the disk of this folder"),
}


# Not for everybody: what it is for.
OPTIONAL = {
    "terraform": "`make test-infra`, and to put it on AWS: 1.11, https://developer.hashicorp.com/terraform/install"
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="print only what is missing")
    quiet = parser.parse_args().quiet

    missing = []
    for name, (good, seen) in checks().items():
        if not quiet or not good:
            print(f"{'ok     ' if good else 'MISSING'}  {name}: {seen}", file=sys.stderr if quiet else sys.stdout)
        if not good:
            missing.append(name)
    if not quiet:
        for name, use in OPTIONAL.items():
            if not shutil.which(name):
                print(f"note     {name} is not found; it is for {use}")
        for port, use in PORTS.items():
            if busy(port):
                print(f"note     port {port} is taken; {use} would stand there. `make down` frees it if it is ours.")
    for name in missing:
        print(f"\n{name}:\n  Debian, Ubuntu: {CURES[name][0]}\n  macOS:          {CURES[name][1]}", file=sys.stderr)
    return CONFIGURATION if missing else 0


def checks():
    return {
        "Python 3.11": (sys.version_info[:2] == (3, 11) and has_venv(), python_seen()),
        "JDK 17": java(),
        "Maven": command("mvn", "-v"),
        "make": command("make", "--version"),
        "free disk": disk(),
    }


def has_venv():
    """Tell whether venvs can be made: Debian keeps ensurepip in a package of its own."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def python_seen():
    version = ".".join(map(str, sys.version_info[:3]))
    return version if has_venv() else f"{version} without venv"


def java():
    home = os.environ.get("JAVA_HOME")
    binary = str(Path(home, "bin", "javac")) if home else "javac"
    seen = output(binary, "-version")
    found = re.search(r"javac (\d+)", seen or "")
    if not found:
        return False, f"no javac{' in JAVA_HOME' if home else ''} (a JRE is not enough: the connector is compiled here)"
    return found.group(1) == "17", found.group(0)


def command(name, argument):
    seen = output(name, argument)
    return (True, re.sub(r"\x1b\[\d*m", "", seen).splitlines()[0]) if seen else (False, "not found")


def output(*argv):
    if shutil.which(argv[0]) is None:
        return None
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def disk():
    free = shutil.disk_usage(Path(__file__).resolve().parent).free / 2**30
    return free >= FREE_GB, f"{free:.0f} GB free, {FREE_GB} needed"


def busy(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
