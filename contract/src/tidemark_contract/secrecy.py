"""The secrets among the settings, struck out of all that a job says before anybody keeps it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from tidemark_contract.protection import HASH_KEY

_PARAMETER = re.compile(r"password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s&']+))")
# As libpq reads it, up to the first @ before a slash, and as others do, up to the last one: both take # ? and [ in it,
# of which urlsplit takes two for its end, and refuses the third.
_BEFORE_HOST = (re.compile(r"^\w+://[^:/@]*:([^/@]*)@"), re.compile(r"^\w+://[^:/@]*:([^/]*)@"))
_OF_S3 = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Give the passwords in the sources' URLs, as they stand there and decoded, and the keys of S3 and of hashes."""
    for name, value in environment.items():
        if name in _OF_S3:
            yield value
        elif name == HASH_KEY:
            yield value.strip().rpartition(":")[2]
        elif name.startswith("TIDEMARK_SOURCE_") and name.endswith("_URL"):
            for password in _passwords(value):
                yield from (password, unquote(password))


def _passwords(url: str) -> Iterator[str]:
    """Give them wherever libpq takes one: before the host, among the parameters, or in words as `host=… password=…`."""
    for pattern in _BEFORE_HOST:
        yield from pattern.findall(url)
    for quoted, plain in _PARAMETER.findall(url):
        yield quoted or plain


def striker(environment: Mapping[str, str]) -> Callable[[str], str]:
    """Give the function that puts *** for each secret. (Airflow's own masking leaves out `dags test`.)"""
    plain = {secret for secret in secrets_of(environment) if secret}
    # What a job says is JSON mostly, which writes quotes, backslashes and letters beyond ASCII otherwise.
    secrets = plain | {json.dumps(secret)[1:-1] for secret in plain}
    if not secrets:
        return str
    pattern = re.compile("|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True)))
    return lambda text: pattern.sub("***", text)
