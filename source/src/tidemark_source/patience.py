"""How long to wait for a server: as long as it works on the answer, and not for one that will never come.

TCP's keepalives notice a machine or a way that is gone. They do not notice a proxy that keeps the connection and hands
nothing on, and no time limit tells that from a query that takes an hour. The server can, when it is asked.
"""

import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

SILENCE_S = 30.0
"""After so long without a byte the server is asked, on another connection, whether it works for us; if it does not,
and as long passes again, the connection is given up."""

# One that waits for what it has sent to be taken, or for our next words, while we have heard nothing, does not work.
_WORKS = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
WHERE pid = %s AND wait_event_type IS DISTINCT FROM 'Client')
"""


class PatientConnection(psycopg.Connection[Any]):
    """A connection on which no call waits for ever: one that waits in vain closes it and raises OperationalError."""

    is_probe = False

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **options: Any) -> Any:
        """Wait as psycopg does: every call that waits comes through here."""
        return super().wait(self._listening(gen), *args, **options)

    def _listening(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        heard, doubted = time.monotonic(), self.is_probe
        try:
            state = next(gen)
            while True:
                ready = yield state
                if ready:
                    heard, doubted = time.monotonic(), self.is_probe
                elif time.monotonic() - heard > SILENCE_S:
                    if not (at_work := self._is_at_work()) and doubted:
                        self._give_up()
                    # The answer may have come while we asked.
                    heard, doubted = time.monotonic(), not at_work
                state = gen.send(ready)
        except StopIteration as done:
            return done.value

    def _give_up(self) -> None:
        self.pgconn.finish()
        raise psycopg.OperationalError(f"no answer for {2 * SILENCE_S:.0f} s: the connection was lost on the way")

    def _is_at_work(self) -> bool:
        if self.is_probe:
            return False
        info = self.info
        where = make_conninfo(
            info.dsn, host=info.host, port=info.port, password=info.password, application_name="tidemark probe"
        )
        try:
            with PatientConnection.connect(where, autocommit=True) as probe:
                probe.is_probe = True
                row = probe.execute(_WORKS, (self.pgconn.backend_pid,)).fetchone()
        except psycopg.OperationalError as error:
            return "FATAL" in str(error)  # it answers, though not this: it may be full
        return bool(row and row[0])
