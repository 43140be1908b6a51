"""The connector's options from a libpq URL, its password kept apart."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tidemark_contract.errors import SettingsError

# As libpq reads it. In a password urlsplit takes # and ? for its end, and quotes what stands in brackets in its error.
_URL = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^:@/]*)(?::(?P<password>[^/]*?))?@)?(?P<place>[^@/?]*)"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_NO_PORT = "the source's URL has no host, or a port that is no number; a / in a password is written %2F"
# What libpq and the connector both know, under the connector's names.
_TRANSLATED = {
    "sslmode": "ssl.mode",
    "sslrootcert": "ssl.root.cert",
    "host": "host",
    "port": "port",
    "dbname": "database",
    "user": "user",
}
# What makes no difference to what the stream holds, nor to who can read it on its way.
_IGNORED = {"application_name", "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval"}


@dataclass(frozen=True)
class SourceUrl:
    """Where a source is; `options` may be shown, `password` never."""

    options: dict[str, str]
    password: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "SourceUrl":
        """Read postgresql://role:password@host:port/database?sslmode=…; SettingsError without the URL's text."""
        parts = _URL.fullmatch(url)
        if not parts:
            raise SettingsError("the source's URL must start with postgresql://")
        user = unquote(parts["user"] or "")
        query = _query(parts["query"] or "")
        password = unquote(parts["password"] or "") or query.pop("password", "")
        options = _location(parts["place"]) | {
            "user": user,
            "database": unquote((parts["database"] or "").lstrip("/")) or user,
        }
        options |= _translate(query)
        _check(options)
        return cls(options, password)


def _query(text: str) -> dict[str, str]:
    # Not parse_qsl: a plus sign is one for libpq, and not a space.
    pairs = (item.partition("=") for item in text.split("&") if item)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _location(netloc: str) -> dict[str, str]:
    if "," in netloc:
        raise SettingsError("the source's URL names several hosts: name the one that holds the slot")
    try:
        parts = urlsplit(f"//{netloc}")
        port = parts.port or 5432
    except ValueError:
        # Without the cause, which quotes what it could not read.
        raise SettingsError(_NO_PORT) from None
    return {"host": unquote(parts.hostname or "localhost"), "port": str(port)}


def _translate(query: dict[str, str]) -> dict[str, str]:
    unknown = sorted(query.keys() - _TRANSLATED.keys() - _IGNORED)
    if unknown:
        known = ", ".join(sorted(_TRANSLATED))
        raise SettingsError(f"the source's URL has the options {', '.join(unknown)}; the stream knows {known}")
    return {_TRANSLATED[name]: value for name, value in query.items() if name in _TRANSLATED}


def _check(options: dict[str, str]) -> None:
    if not options["user"]:
        raise SettingsError("the source's URL names no role: postgresql://role@host:port/database")
    if not options["port"].isdecimal():
        raise SettingsError(_NO_PORT)
    if options["host"].startswith("/"):
        raise SettingsError("the source's URL names a socket folder: the stream connects by TCP; name host and port")
