"""Ask a service how it is, and read what it answers: Airflow's API says 200 even when its scheduler is dead.

`python -m tidemark_orchestration.health URL [--components NAME…] [--text TEXT]`; exit 0 is well, 1 is not.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

PATIENCE_S = 8.0


def problems(answer: str, components: Sequence[str], text: str | None) -> Iterator[str]:
    """Give what is wrong with an answer: a component that does not say `healthy`, or another text."""
    if text is not None and answer.strip() != text:
        yield f"the answer is {answer[:100]!r}, not {text!r}"
    if not components:
        return
    said = json.loads(answer)
    for name in components:
        if (status := (said.get(name) or {}).get("status")) != "healthy":
            yield f"{name} is {status or 'not there'}"


def fetch(url: str) -> str:
    """Give what is answered; an OSError when it is an error, or not in time. No proxy is asked for what is here."""
    with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


def main(words: Sequence[str]) -> int:
    """Say what is wrong, if anything."""
    parser = argparse.ArgumentParser(prog="python -m tidemark_orchestration.health")
    parser.add_argument("url")
    parser.add_argument("--components", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--text")
    asked = parser.parse_args(words)
    try:
        found = list(problems(fetch(asked.url), asked.components, asked.text))
    except (OSError, HTTPException, ValueError, AttributeError) as error:
        found = [f"no answer: {error}"]
    for problem in found:
        print(f"{asked.url}: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
