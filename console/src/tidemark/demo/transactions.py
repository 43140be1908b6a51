"""What the shop's customers do, one transaction at a time."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from tidemark.demo.schema import ACCOUNTS

LATEST = date(1998, 8, 2)  # TPC-H's last order date
_NEW_KEY = "SELECT greatest(coalesce(max(o_orderkey), 0), 0) FROM orders"


@dataclass
class Shopper:
    """One connection's customer: its dice, the prefix of its two-phase names, and its share of new order keys."""

    connection: psycopg.Connection[Any]
    chance: random.Random
    gid_prefix: str
    workers: int
    number: int

    def __post_init__(self) -> None:
        self._last_key = 0
        self.parts, self.suppliers, self.customers = (
            int(self._one(f"SELECT max({key}) FROM {table}"))
            for key, table in (("p_partkey", "part"), ("s_suppkey", "supplier"), ("c_custkey", "customer"))
        )

    def new_order_key(self) -> int:
        """Give a key that no other worker gives, beyond those there are."""
        top = max(int(self._one(_NEW_KEY)), self._last_key)
        self._last_key = top - top % self.workers + self.workers + self.number
        return self._last_key

    def some_order_key(self) -> int | None:
        """Give the key of some order that was there a moment ago."""
        low, high = self.connection.execute("SELECT min(o_orderkey), max(o_orderkey) FROM orders").fetchone() or (0, 0)
        if low is None:
            return None
        near = self.chance.randint(low, high)
        return int(self._one("SELECT o_orderkey FROM orders WHERE o_orderkey >= %s ORDER BY 1 LIMIT 1", near))

    def next_gid(self) -> str:
        """Give a new name for a two-phase transaction; also after a reconnection, when the old one may still stand."""
        return f"{self.gid_prefix}{self.chance.getrandbits(64):016x}"

    def _one(self, query: str, *parameters: object) -> Any:
        row = self.connection.execute(query, parameters).fetchone()
        return row[0] if row else None


def new_order(shopper: Shopper) -> None:
    """Insert an order with its lines (TPC-H's refresh function 1)."""
    chance, key = shopper.chance, shopper.new_order_key()
    ordered = LATEST - timedelta(days=chance.randint(0, 2000))
    lines = [_line(shopper, key, number, ordered) for number in range(1, chance.randint(1, 7) + 1)]
    total = sum((line[5] for line in lines), Decimal(0))
    shopper.connection.execute(
        "INSERT INTO orders VALUES (%s, %s, 'O', %s, %s, %s, %s, 0, %s)",
        (key, chance.randint(1, shopper.customers), total, ordered, "3-MEDIUM", "Clerk#000000001", _words(chance)),
    )
    with shopper.connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO lineitem VALUES ({', '.join(['%s'] * 16)})", lines)


def change_order(shopper: Shopper) -> None:
    """Move an order on, with its lines, and its customer's balance."""
    key = shopper.some_order_key()
    execute = shopper.connection.execute
    execute("UPDATE orders SET o_orderstatus = %s, o_comment = %s WHERE o_orderkey = %s",
            (shopper.chance.choice("OFP"), _words(shopper.chance), key))  # fmt: skip
    execute("UPDATE lineitem SET l_linestatus = %s, l_quantity = l_quantity + 1 WHERE l_orderkey = %s",
            (shopper.chance.choice("OF"), key))  # fmt: skip
    execute("UPDATE customer SET c_acctbal = c_acctbal + %s WHERE c_custkey = %s",
            (shopper.chance.randint(-50, 50), shopper.chance.randint(1, shopper.customers)))  # fmt: skip


def change_stock(shopper: Shopper) -> None:
    """Change some parts' stock and price, and a supplier's balance."""
    execute, chance = shopper.connection.execute, shopper.chance
    part = chance.randint(1, shopper.parts)
    execute("UPDATE partsupp SET ps_availqty = %s WHERE ps_partkey = %s", (chance.randint(0, 9999), part))
    execute("UPDATE part SET p_retailprice = p_retailprice + 1 WHERE p_partkey = %s", (part,))
    execute(
        "UPDATE supplier SET s_acctbal = s_acctbal - 1 WHERE s_suppkey = %s", (chance.randint(1, shopper.suppliers),)
    )


def delete_old(shopper: Shopper) -> None:
    """Delete some of the oldest orders with their lines (refresh function 2), or give one a new number."""
    execute, chance = shopper.connection.execute, shopper.chance
    if chance.random() < 0.2:
        old, new = shopper.some_order_key(), shopper.new_order_key()
        execute("UPDATE lineitem SET l_orderkey = %s WHERE l_orderkey = %s", (new, old))
        execute("UPDATE orders SET o_orderkey = %s WHERE o_orderkey = %s", (new, old))
        return
    oldest = "SELECT o_orderkey FROM orders ORDER BY o_orderkey LIMIT %s FOR UPDATE SKIP LOCKED"
    keys = [key for (key,) in execute(oldest, (chance.randint(1, 4),)).fetchall()]
    execute("DELETE FROM lineitem WHERE l_orderkey = ANY(%s)", (keys,))
    execute("DELETE FROM orders WHERE o_orderkey = ANY(%s)", (keys,))


def transfer(shopper: Shopper) -> None:
    """Move money between two accounts; now and then an account's long statement changes too."""
    giver, taker = shopper.chance.sample(range(1, ACCOUNTS + 1), 2)
    amount = Decimal(shopper.chance.randint(1, 10_000)) / 100
    moves = sorted([(giver, -amount), (taker, amount)])  # in the order of ids: no deadlocks
    for account, difference in moves:
        shopper.connection.execute(
            "UPDATE account SET balance = balance + %s, changed_at = now() WHERE id = %s", (difference, account)
        )
    if shopper.chance.random() < 0.1:
        statement = "UPDATE account SET statement = repeat(md5(%s), 100) WHERE id = %s"
        shopper.connection.execute(statement, (_words(shopper.chance), giver))


def with_savepoint(shopper: Shopper) -> None:
    """Try something in a savepoint, take it back, and do something else."""
    transfer(shopper)
    shopper.connection.execute("SAVEPOINT attempt")
    change_order(shopper)
    shopper.connection.execute("ROLLBACK TO SAVEPOINT attempt")
    shopper.connection.execute("SAVEPOINT another")
    new_order(shopper)
    shopper.connection.execute("RELEASE SAVEPOINT another")


PLAIN: dict[str, Callable[[Shopper], None]] = {
    "new_order": new_order,
    "change_order": change_order,
    "change_stock": change_stock,
    "delete_old": delete_old,
    "transfer": transfer,
    "savepoint": with_savepoint,
}
_ODDS = {
    "new_order": 24, "change_order": 20, "change_stock": 8, "delete_old": 10, "transfer": 25,
    "savepoint": 6, "rolled_back": 5, "two_phase": 2,
}  # fmt: skip


def choose(chance: random.Random) -> str:
    """Choose what to do next."""
    return chance.choices(list(_ODDS), weights=list(_ODDS.values()))[0]


def run(shopper: Shopper, kind: str) -> None:
    """Run one transaction of a kind to its end."""
    connection = shopper.connection
    connection.execute("BEGIN")
    if kind == "rolled_back":
        PLAIN[shopper.chance.choice(list(PLAIN))](shopper)
        connection.execute("ROLLBACK")
    elif kind == "two_phase":
        _two_phase(shopper)
    else:
        PLAIN[kind](shopper)
        connection.execute("COMMIT")


def _two_phase(shopper: Shopper) -> None:
    """Commit in two phases, with other transactions in between; one in four is rolled back after all."""
    transfer(shopper)
    new_order(shopper)
    gid = sql.Literal(shopper.next_gid())
    shopper.connection.execute(sql.SQL("PREPARE TRANSACTION {}").format(gid))
    threading.Event().wait(shopper.chance.uniform(0.1, 0.5))
    end = "ROLLBACK PREPARED {}" if shopper.chance.random() < 0.25 else "COMMIT PREPARED {}"
    shopper.connection.execute(sql.SQL(end).format(gid))


def long(connection: psycopg.Connection[Any], seconds: float, end: threading.Event) -> None:
    """Hold one transaction open for a while, changing a row now and then: many marks do not see it."""
    connection.execute("BEGIN")
    for step in range(8):
        connection.execute("UPDATE supplier SET s_acctbal = s_acctbal + 1 WHERE s_suppkey = %s", (1 + step,))
        end.wait(seconds / 8)
    connection.execute("COMMIT")


def _line(shopper: Shopper, order: int, number: int, ordered: date) -> tuple[Any, ...]:
    chance, shipped = shopper.chance, ordered + timedelta(days=shopper.chance.randint(1, 121))
    quantity = Decimal(chance.randint(1, 50))
    price = quantity * Decimal(chance.randint(90_000, 200_000)) / 100
    return (
        order, chance.randint(1, shopper.parts), chance.randint(1, shopper.suppliers), number, quantity, price,
        Decimal(chance.randint(0, 10)) / 100, Decimal(chance.randint(0, 8)) / 100, "N", "O", shipped,
        ordered + timedelta(days=60), shipped + timedelta(days=5), "DELIVER IN PERSON", "TRUCK", _words(chance)[:44],
    )  # fmt: skip


def _words(chance: random.Random) -> str:
    return " ".join(chance.choices(("quickly", "final", "deposits", "sleep", "carefully", "ironic", "foxes"), k=5))
