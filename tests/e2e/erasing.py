"""People in tables of every kind, and a search for what is left of them that knows nothing of the product's own."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from tests.variants import ALL
from tidemark_jobs import storage
from tidemark_jobs.control import Control
from tidemark_jobs.tables import ProofRow, QuarantineRow

GONE = "gone-one"  # in every text of the rows that are to go
ODD = f"{GONE} ünï\t\\N\"'\n%s{{}}@example.org"
STAYS = "stays-here@example.org"
TABLES = ('public."Per""son"', "public.visit", "public.chatter", "public.badge")
MAKE = """
CREATE TABLE "Per""son" ("E Mail" text PRIMARY KEY, name text, note text);
ALTER TABLE "Per""son" ALTER note SET STORAGE EXTERNAL;
CREATE TABLE visit (person text, day date, said text, PRIMARY KEY (day, person)) PARTITION BY RANGE (day);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE chatter (who text, said text, n integer);
ALTER TABLE chatter REPLICA IDENTITY FULL;
CREATE TABLE badge (id integer PRIMARY KEY, owner text);
"""


def subjects(folder: Path, gone: str = ODD) -> Path:
    """Write the file that names who is to go."""
    file = folder / "subject.yaml"
    entries = [
        {"table": TABLES[0], "keys": [gone, {"E Mail": f"{GONE} moved"}]},
        {"table": TABLES[1], "keys": [["2025-12-31", gone], {"person": gone, "day": "2026-02-01"}]},
        {"table": TABLES[2], "keys": [{"who": gone}]},
        {"table": TABLES[3], "keys": [7]},
    ]
    file.write_text(json.dumps(entries))
    return file


def insert(owner: psycopg.Connection[Any], who: str, badge: int) -> None:
    note = "".join(f"{who}{n}" for n in range(400))  # out of line: an update that leaves it alone does not send it
    owner.execute('INSERT INTO "Per""son" VALUES (%s, %s, %s)', (who, f"called {who}", note))
    for day in ("2025-12-31", "2026-02-01"):
        owner.execute("INSERT INTO visit VALUES (%s, %s, %s)", (who, day, f"said by {who}"))
    owner.execute("INSERT INTO chatter SELECT %s, %s, n FROM generate_series(1, 3) n", (who, f"said by {who}"))
    owner.execute("INSERT INTO badge VALUES (%s, %s)", (badge, f"badge of {who}"))


def change(owner: psycopg.Connection[Any], who: str, moved: str, badge: int) -> None:
    """Write what leaves traces: a value that is not sent again, a key that moves, a bag's old rows."""
    owner.execute('UPDATE "Per""son" SET name = name || \'!\' WHERE "E Mail" = %s', (who,))
    owner.execute('UPDATE "Per""son" SET "E Mail" = %s WHERE "E Mail" = %s', (moved, who))
    owner.execute("UPDATE visit SET said = said || '!' WHERE person = %s", (who,))
    owner.execute("UPDATE chatter SET said = said || '!' WHERE who = %s AND n < 3", (who,))
    owner.execute("UPDATE badge SET owner = owner || '!' WHERE id = %s", (badge,))


def delete(owner: psycopg.Connection[Any], *who: str, badge: int) -> None:
    names = list(who)
    owner.execute('DELETE FROM "Per""son" WHERE "E Mail" = ANY(%s)', (names,))
    owner.execute("DELETE FROM visit WHERE person = ANY(%s)", (names,))
    owner.execute("DELETE FROM chatter WHERE who = ANY(%s)", (names,))
    owner.execute("DELETE FROM badge WHERE id = %s", (badge,))


def tell_of_them(control: Control, mark: int) -> None:
    """Let quarantine and proofs tell of those who are to go, and of others."""
    when = control.marks_since(mark)[0].published_at
    for who in (ODD, STAYS):
        raw = json.dumps({"op": "d", "before": {"E Mail": who}})
        control.add_quarantine([QuarantineRow("shop", TABLES[0], mark, 1, len(who), "why", raw, when)])
        key = who.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        details = json.dumps([{"key": key, "kind": "missing", "columns": []}])
        control.add_proofs([ProofRow("shop", TABLES[0], mark, 1, when, False, 3, 1, details, when)])


def found(lake: Path, text: str) -> list[str]:
    """Name every file of a lake that says a text: in its octets, its columns, or its footer."""
    return sorted(str(path.relative_to(lake)) for path in lake.rglob("*") if path.is_file() and _says(path, text))


def _says(path: Path, text: str) -> bool:
    content = path.read_bytes()
    if text.encode() in content:
        return True
    if not content.startswith(b"PAR1") or not content.endswith(b"PAR1"):
        return False
    file = pq.ParquetFile(path)
    bounds = [file.metadata.row_group(g).column(c).statistics for g in range(file.num_row_groups)
              for c in range(file.metadata.num_columns)]  # fmt: skip
    told = [file.read().to_pylist(), [(b.min, b.max) for b in bounds if b and b.has_min_max], file.metadata.metadata]
    return text in repr(told)


class Stopped(BaseException):
    """As if the process had been killed."""


def stop(*_: object) -> None:
    raise Stopped


def stopping(patch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give blocks that are stopped before one of their writes to the lake or deletions, each at a later one."""
    place = 0
    while True:
        yield _stopped_at(patch, place)
        place += 1 if ALL else random.randint(4, 16)


@contextmanager
def _stopped_at(patch: pytest.MonkeyPatch, place: int) -> Iterator[None]:
    left = [place]

    def counted(write: Any) -> Any:
        def maybe(*facts: Any, **more: Any) -> Any:
            if not any("leases/" in str(fact) for fact in facts):  # of those that are held, a dead owner loses them
                left[0] -= 1
                if left[0] < 0:
                    raise Stopped
            return write(*facts, **more)

        return maybe

    with patch.context() as patched, suppress(Stopped):
        for owner, name in ((storage, "create"), (storage, "delete"), (Control, "_commit")):
            patched.setattr(owner, name, counted(getattr(owner, name)))
        yield
