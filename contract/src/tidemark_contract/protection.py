"""Columns whose plain values are never stored: how they are kept instead, and the key of those that are hashed.

`drop`: the column is nowhere in the lake. `hash`: `<key id>:<hex of HMAC-SHA256>` of PostgreSQL's text in UTF-8, the
same for the same value, so that tables can be joined. `mask`: `***`. NULL stays NULL.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tidemark_contract.errors import SettingsError

HASH_KEY = "TIDEMARK_HASH_KEY"
MASKED = "***"
HASHED = r"^[A-Za-z0-9_-]{1,32}:[0-9a-f]{64}$"
LEAST_BYTES = 32
_BLOCK = 64  # SHA-256's, in bytes
_WRITTEN = re.compile(r"(?P<id>[A-Za-z0-9_-]{1,32}):(?P<secret>([0-9A-Fa-f]{2})+)")


class Protect(StrEnum):
    """What is stored of a protected column."""

    DROP = "drop"
    HASH = "hash"
    MASK = "mask"


@dataclass(frozen=True)
class HashKey:
    """The key of all hashed columns; its id stands before each hash, its secret is never shown."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "HashKey":
        """Read `<key id>:<hex>`; SettingsError, without the text, when it is none."""
        match = _WRITTEN.fullmatch(text.strip())
        if not match or len(secret := bytes.fromhex(match["secret"])) < LEAST_BYTES:
            raise SettingsError(
                f"{HASH_KEY} is not <key id>:<hex of at least {LEAST_BYTES} bytes>: `openssl rand -hex 32` gives one, "
                "the id is a word of your choice (letters, digits, _ and -)"
            )
        return cls(match["id"], secret)

    @property
    def text(self) -> str:
        """The key as it is written in the setting."""
        return f"{self.id}:{self.secret.hex()}"

    @property
    def name(self) -> str:
        """What tells this key from every other, one with the same id too, and says nothing of its secret."""
        return f"{self.id} {hmac.digest(self.secret, b'tidemark', 'sha256').hex()[:8]}"

    def hashed(self, text: str) -> str:
        """Give what is stored of a value."""
        return f"{self.id}:{hmac.digest(self.secret, text.encode(), 'sha256').hex()}"

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """HMAC's inner and outer block: where there is no HMAC it is sha256(outer + sha256(inner + text))."""
        short = hashlib.sha256(self.secret).digest() if len(self.secret) > _BLOCK else self.secret
        block = short.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def label(protected: Mapping[str, Protect], key: HashKey | None) -> str | None:
    """Name a table's protections, for copies and changes to say by which they were made; None where there are none."""
    if not protected:
        return None
    if key is None and Protect.HASH in protected.values():
        raise SettingsError(f"{HASH_KEY} is not set: the key of hashed columns, <key id>:<hex>")
    words = {Protect.HASH: f"hash {key.name}"} if key else {}
    return json.dumps({name: words.get(how, str(how)) for name, how in protected.items()}, ensure_ascii=False)
