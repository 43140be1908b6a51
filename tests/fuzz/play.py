"""A case is played: each statement is drawn when it is sent, for the table as it is then, and kept if it succeeds."""

import random
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from tests.exactness.cases import EQUAL, SECTIONS, Block, Case
from tests.fuzz.tables import create
from tests.fuzz.writer import ALONE, ROWS, SCHEMA, Make, Writer

STATEMENTS = 14
"""In each section, about."""
SESSIONS = ("", "a")
KEEPING = ("", "deletes: soft\n", "history: scd2\n", "deletes: soft\nhistory: scd2\n")
"""What the specs of a case's tables say besides, of tables that have a key."""
_IDLE = TransactionStatus.IDLE


def new_case(chance: random.Random, name: str) -> Case:
    """Give a case whose tables are drawn and whose statements are still to be."""
    before = tuple(Block("", create(chance, table)) for table in ("t", "u"))
    keyed = all("PRIMARY KEY" in block.text for block in before)
    spec = chance.choice(KEEPING) if keyed else ""
    sections: dict[str, tuple[Block, ...]] = {SECTIONS[0]: before, SECTIONS[1]: (), SECTIONS[2]: ()}
    return Case(name, "drawn at random", EQUAL, "", spec, {}, False, sections)


class Play:
    """One case in its sessions: what is drawn for it is added to its script."""

    def __init__(self, chance: random.Random, sessions: dict[str, psycopg.Connection[Any]]) -> None:
        self._chance, self._sessions = chance, sessions
        self._touched: set[str] = set()  # sessions that changed a schema in their open transaction
        self.script: list[Block] = []

    def draw_section(self) -> tuple[Block, ...]:
        """Draw and send the statements of a section; give those that succeeded."""
        self.script = []
        for _ in range(self._chance.randint(STATEMENTS // 2, STATEMENTS * 2)):
            name = self._chance.choice(SESSIONS)
            self._next(name, self._sessions[name])
        for name in SESSIONS:  # a mark cannot be taken while somebody holds a table for himself
            if name in self._touched:
                self._send(name, sql.SQL("COMMIT"))
        return tuple(self.script)

    def _next(self, name: str, session: psycopg.Connection[Any]) -> None:
        inside, luck = session.info.transaction_status != _IDLE, self._chance.random()
        if not inside and luck < 0.25:
            self._send(name, sql.SQL("BEGIN"))
        elif inside and luck < 0.3:
            self._send(name, sql.SQL("COMMIT" if luck < 0.2 else "ROLLBACK"))
        elif inside and luck < 0.4:
            self._send(name, sql.SQL(self._chance.choice(["SAVEPOINT s", "ROLLBACK TO s", "RELEASE s"])))
        else:
            makes: dict[Make, int] = ROWS | (SCHEMA if luck < 0.7 else {}) | ({} if inside else ALONE)
            make = self._chance.choices(list(makes), list(makes.values()))[0]
            writer = Writer(self._chance, session, self._chance.choice("tu"))
            statement = make(writer) if writer.columns else None
            if statement and self._send(name, statement) and make in SCHEMA and inside:
                self._touched.add(name)

    def _send(self, name: str, statement: sql.Composable) -> bool:
        session = self._sessions[name]
        text = statement.as_string(session)
        try:
            session.execute(text.encode())
        except psycopg.Error:
            if session.info.transaction_status != _IDLE:
                session.execute("ROLLBACK")
                self.script.append(Block(name, "ROLLBACK"))
                self._touched.discard(name)
            return False
        self.script.append(Block(name, text))
        if session.info.transaction_status == _IDLE:
            self._touched.discard(name)
        return True
