"""Deletion vectors: which rows of a data file are deleted.

Source: the Delta protocol, "Deletion Vector Format". A vector is a file of its own, as Spark writes it: one version
byte, then length, data and checksum; the data is a magic number and a 64-bit roaring bitmap.
"""

import base64
import struct
import uuid
import zlib
from typing import Any

from pyroaring import BitMap64

from tidemark_jobs import storage

_MAGIC = struct.pack("<i", 1681511377)
_VERSION = b"\x01"
_RFC1924 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_Z85 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_UUID_TEXT = 20  # characters of a uuid in Z85; what stands before them is a folder


def is_readable(descriptor: dict[str, Any] | None) -> bool:
    """Tell whether a vector, if there is one, is stored as Spark and we write it: in a file below the table."""
    return descriptor is None or descriptor["storageType"] == "u"


def read(url: str, descriptor: dict[str, Any] | None) -> BitMap64:
    """Give the deleted positions of a readable vector; none where there is no vector."""
    if descriptor is None:
        return BitMap64()
    content = storage.read(url, file_of(descriptor))
    if content is None:
        raise FileNotFoundError(f"{url}/{file_of(descriptor)} is missing")
    start = int(descriptor["offset"])
    (length,) = struct.unpack_from(">i", content, start)
    data = content[start + 4 : start + 4 + length]
    (checksum,) = struct.unpack_from(">I", content, start + 4 + length)
    if checksum != zlib.crc32(data) or not data.startswith(_MAGIC):
        raise OSError(f"{url}/{file_of(descriptor)} is damaged")
    return BitMap64.deserialize(data[len(_MAGIC) :])


def write(url: str, positions: BitMap64) -> dict[str, Any]:
    """Store a vector; give its descriptor."""
    number = uuid.uuid4()
    data = _MAGIC + positions.serialize()
    content = _VERSION + struct.pack(">i", len(data)) + data + struct.pack(">I", zlib.crc32(data))
    text = base64.b85encode(number.bytes).translate(bytes.maketrans(_RFC1924, _Z85)).decode()
    storage.create(url, _name(text), content)
    return {
        "storageType": "u",
        "pathOrInlineDv": text,
        "offset": len(_VERSION),
        "sizeInBytes": len(data),
        "cardinality": len(positions),
    }


def file_of(descriptor: dict[str, Any]) -> str:
    """Name the file, below the table, of a readable vector."""
    return _name(descriptor["pathOrInlineDv"])


def _name(text: str) -> str:
    folder, number = text[:-_UUID_TEXT], text[-_UUID_TEXT:]
    raw = base64.b85decode(number.encode().translate(bytes.maketrans(_Z85, _RFC1924)))
    name = f"deletion_vector_{uuid.UUID(bytes=raw)}.bin"
    return f"{folder}/{name}" if folder else name
