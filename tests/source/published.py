"""What is in a source's publication, and what its slot holds."""

import struct
from typing import Any

from tests.source.conftest import Database


def changes(database: Database, publication: str | None = None) -> list[tuple[str, str]]:
    """Decode what the slot holds: (operation, table), without moving it."""
    with database.reader() as reader:
        stream = reader.execute(
            "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1', "
            "'publication_names', %s)",
            (f"tidemark_{database.source}", publication or f"tidemark_{database.source}"),
        ).fetchall()
    names, found = {}, []
    for (data,) in stream:
        if data[:1] == b"R":
            schema, table = data[5:].split(b"\0")[:2]
            names[data[1:5]] = (schema + b"." + table).decode()
        elif data[:1] in b"IUD":
            found.append((data[:1].decode(), names[data[1:5]]))
        elif data[:1] == b"T":
            (count,) = struct.unpack("!i", data[1:5])
            found += [("T", names[data[6 + 4 * n : 10 + 4 * n]]) for n in range(count)]
    return found


def published(database: Database, table: str) -> list[Any]:
    return database.execute("SELECT 1 FROM pg_publication_tables WHERE tablename = %s", table)
