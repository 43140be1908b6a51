"""The shop's live load: concurrent transactions that go on until somebody ends them.

It does what is hard to mirror: transactions of many tables, savepoints, rollbacks, two-phase commits, one long
transaction beside short ones, updates that leave long values alone. Money only moves between accounts.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import errors, sql

from tidemark.demo import transactions
from tidemark.demo.transactions import Shopper
from tidemark_contract.ending import Ending

GID_PREFIX = "tidemark_demo_"
REPORT_EVERY_S = 1.0
GIVE_UP_AFTER_S = 60.0  # a server that is away that long will not come back

# Other people's locks (init's, a prepared transaction's) make a transaction wait; these end it, and the next is begun.
PASSING = (errors.DeadlockDetected, errors.LockNotAvailable, errors.SerializationFailure, errors.UniqueViolation)


@dataclass(frozen=True)
class Pace:
    """How much load: worker connections, transactions per second of all workers, seconds of the long transaction."""

    workers: int = 4
    per_second: float = 40.0
    long_s: float = 8.0
    long_every_s: float = 30.0


@dataclass
class Load:
    """Workers on connections of their own, until the block ends; what they did is in `done`, by kind."""

    url: str
    seed: int
    pace: Pace = field(default_factory=Pace)
    done: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"load-{number}", daemon=True)
            for number in range(self.pace.workers)
        ]
        self._threads.append(threading.Thread(target=self._work_slowly, name="load-long", daemon=True))

    def __enter__(self) -> Self:
        roll_back_prepared(self.url)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        if self.failure and kind is None:
            raise self.failure

    def _work(self, number: int) -> None:
        pause = self.pace.workers / self.pace.per_second
        chance = random.Random(f"{self.seed}/{number}")
        self._keep_on(lambda connection: self._short_transactions(connection, number, chance, pause))

    def _short_transactions(
        self, connection: psycopg.Connection[Any], number: int, chance: random.Random, pause: float
    ) -> None:
        shopper = Shopper(connection, chance, f"{GID_PREFIX}{number}_", self.pace.workers, number)
        while not self._end.wait(chance.uniform(0, 2 * pause)):
            kind = transactions.choose(chance)
            self._count(kind if _try(connection, lambda k=kind: transactions.run(shopper, k)) else "given_up")

    def _work_slowly(self) -> None:
        self._keep_on(self._long_transactions)

    def _long_transactions(self, connection: psycopg.Connection[Any]) -> None:
        while not self._end.wait(self.pace.long_every_s - self.pace.long_s):
            if _try(connection, lambda: transactions.long(connection, self.pace.long_s, self._end)):
                self._count("long")

    def _keep_on(self, work: Any) -> None:
        """Work, and after a lost connection work on: the server may have been restarted."""
        lost_at: float | None = None
        while not self._end.is_set():
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    connection.execute("SET lock_timeout = '2s'")
                    lost_at = None
                    work(connection)
            except psycopg.OperationalError as error:
                lost_at = lost_at or time.monotonic()
                if time.monotonic() - lost_at > GIVE_UP_AFTER_S:
                    self.failure = error
                    return
                self._end.wait(0.5)
            except BaseException as error:
                self.failure = error
                return

    def _count(self, kind: str) -> None:
        with self._lock:
            self.done[kind] += 1


def _try(connection: psycopg.Connection[Any], work: Any) -> bool:
    """Do one transaction; False when a lock or another transaction stood in its way."""
    try:
        work()
    except PASSING:
        return False
    finally:
        if not connection.closed:
            connection.rollback()
    return True


def roll_back_prepared(url: str) -> None:
    """Roll back what a load that was killed had prepared and not finished: it would hold its locks for ever."""
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT gid FROM pg_prepared_xacts WHERE gid LIKE %s AND database = current_database()"
        for (gid,) in connection.execute(query, (GID_PREFIX.replace("_", r"\_") + "%",)).fetchall():
            connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


def main() -> None:
    """Run as a process: URL and seed from stdin, since argv is for all to read; counts on stdout, until SIGTERM."""
    wanted = json.loads(sys.stdin.readline())
    ending = Ending()
    with Load(wanted["url"], wanted["seed"]) as load:
        while not ending.within(REPORT_EVERY_S) and load.failure is None:
            print(json.dumps({"transactions": load.done.total(), **load.done}), flush=True)


if __name__ == "__main__":
    main()
