"""A PostgreSQL client for tests of the Flink environment, which has none: psycopg of the other environment, by pipe."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_LOCAL = Path(sys.prefix).parent.parent
_CLIENT = """
import json, sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    for line in sys.stdin:
        cursor = connection.execute(json.loads(line))
        rows = cursor.fetchall() if cursor.description else []
        print(json.dumps(rows, default=str), flush=True)
"""


class Database:
    """One session; `tell` does not wait for the answer, `ask` does."""

    def __init__(self, url: str) -> None:
        command = [str(_LOCAL / "venv" / "spark" / "bin" / "python"), "-c", _CLIENT, url]
        self._client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.communicate()

    def tell(self, sql: str) -> None:
        assert self._client.stdin is not None
        self._client.stdin.write(json.dumps(sql) + "\n")
        self._client.stdin.flush()

    def answer(self) -> list[list[Any]]:
        assert self._client.stdout is not None
        rows: list[list[Any]] = json.loads(self._client.stdout.readline())
        return rows

    def ask(self, sql: str) -> list[list[Any]]:
        self.tell(sql)
        return self.answer()
