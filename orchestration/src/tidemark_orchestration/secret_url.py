"""`python -m tidemark_orchestration.secret_url URL FILE`: the URL with the file's password in it.

For Airflow's settings that end in _CMD: the password stands in a file, and in no environment or argv.
"""

import sys
from pathlib import Path
from urllib.parse import quote, urlsplit


def with_password(url: str, password: str) -> str:
    """Put a password into a URL, whatever characters it has."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host if at else parts.netloc}").geturl()


def main(words: list[str]) -> int:
    """Print it, without a line's end: Airflow takes all that it reads."""
    if len(words) != 2:
        print("usage: python -m tidemark_orchestration.secret_url URL FILE", file=sys.stderr)
        return 2
    url, file = words
    password = Path(file).read_text(encoding="utf-8").rstrip("\n")
    if not password:
        print(f"{file} is empty: there has to be a password in it", file=sys.stderr)
        return 1
    print(with_password(url, password), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
