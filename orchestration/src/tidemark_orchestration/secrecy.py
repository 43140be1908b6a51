"""The secrets among the settings, struck out of all that a job says before Airflow keeps it in logs and results."""

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from tidemark_contract.protection import HASH_KEY

_OF_S3 = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Give the passwords in the sources' URLs, as they stand there and decoded, and the keys of S3 and of hashes."""
    for name, value in environment.items():
        if name in _OF_S3:
            yield value
        elif name == HASH_KEY:
            yield value.strip().rpartition(":")[2]
        elif name.startswith("TIDEMARK_SOURCE_") and name.endswith("_URL"):
            password = urlsplit(value).password or ""
            yield from (password, unquote(password))


def striker(environment: Mapping[str, str]) -> Callable[[str], str]:
    """Give the function that puts *** for each secret. (Airflow's own masking leaves out `dags test`.)"""
    secrets = {secret for secret in secrets_of(environment) if secret}
    if not secrets:
        return str
    pattern = re.compile("|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True)))
    return lambda text: pattern.sub("***", text)
