"""The connector's options from a libpq URL, its password kept apart."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tidemark_contract.errors import SettingsError

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
        parts = urlsplit(url)
        if parts.scheme not in ("postgresql", "postgres"):
            raise SettingsError("the source's URL must start with postgresql://")
        query = _query(parts.query)
        password = unquote(parts.password or "") or query.pop("password", "")
        options = _location(parts.netloc.rpartition("@")[2]) | {
            "user": unquote(parts.username or ""),
            "database": unquote(parts.path.lstrip("/")) or unquote(parts.username or ""),
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
    parts = urlsplit(f"//{netloc}")
    try:
        port = parts.port or 5432
    except ValueError as error:
        raise SettingsError("the source's URL has a port that is no number") from error
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
    if options["host"].startswith("/"):
        raise SettingsError("the source's URL names a socket folder: the stream connects by TCP; name host and port")
