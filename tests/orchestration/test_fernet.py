"""What Airflow keeps of secrets is ciphertext, and goes from one Fernet key to the next without a value lost."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("default")  # Airflow's models bring the warnings of their libraries
VALUES = ("a-password", "an-extra-key", "a-value", "an-argument")
QUERIES = ("SELECT password, extra FROM connection", "SELECT val FROM variable", "SELECT kwargs FROM trigger")


@pytest.fixture
def keys(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Give two keys; the old one is in use, and has encrypted what lies there."""
    from airflow.models.crypto import get_fernet
    from cryptography.fernet import Fernet

    drawn = {name: Fernet.generate_key().decode() for name in ("old", "new")}
    use(monkeypatch, drawn["old"])
    keep()
    yield drawn
    forget()
    get_fernet.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    from airflow.models.crypto import get_fernet

    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", key)
    get_fernet.cache_clear()


def models() -> tuple[Any, Any, Any]:
    from airflow.models.connection import Connection
    from airflow.models.trigger import Trigger
    from airflow.models.variable import Variable

    return Connection, Variable, Trigger


def keep() -> None:
    from airflow.utils.session import create_session

    connection, variable, trigger = models()
    with create_session() as session:
        session.add(connection("kept", "http", password=VALUES[0], extra=f'{{"private_key": "{VALUES[1]}"}}'))
        session.add(variable("kept", VALUES[2]))
        session.add(trigger("a.Trigger", {"argument": VALUES[3]}, created_date=datetime.now(UTC)))


def forget() -> None:
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        for model in models():
            session.execute(delete(model))


def readable() -> list[str | None]:
    """Give the values as Airflow reads them with the key that is in use; None for one that it cannot."""
    from airflow.utils.session import create_session
    from cryptography.fernet import InvalidToken
    from sqlalchemy import select

    def value(model: Any, read: Callable[[Any], str]) -> str | None:
        try:
            with create_session() as session:
                return read(session.scalars(select(model)).one())
        except InvalidToken:
            return None

    connection, variable, trigger = models()
    return [
        value(connection, lambda row: row.password),
        value(connection, lambda row: row.extra_dejson["private_key"]),
        value(variable, lambda row: row.val),
        value(trigger, lambda row: row.kwargs["argument"]),
    ]


def rows() -> list[str]:
    """Give what SQL finds in the columns."""
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        return [str(value) for query in QUERIES for value in session.execute(text(query)).one()]


def test_rows_are_ciphertext(keys: dict[str, str]) -> None:
    assert list(VALUES) == readable()
    assert len(rows()) == len(VALUES)
    assert [] == [(row, value) for row in rows() for value in VALUES if value in row]


def test_a_new_key_takes_over_and_the_old_one_reads_nothing(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows()
    use(monkeypatch, f"{keys['new']},{keys['old']}")
    assert list(VALUES) == readable(), "both keys read what the old one has written"
    rotated = subprocess.run([sys.executable, "-m", "airflow", "rotate-fernet-key"], env=os.environ, check=False)
    assert 0 == rotated.returncode

    assert not set(before) & set(rows())
    use(monkeypatch, keys["new"])
    assert list(VALUES) == readable()
    use(monkeypatch, keys["old"])
    assert [None] * len(VALUES) == readable()
