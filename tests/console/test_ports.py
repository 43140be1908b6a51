"""Ports that are chosen before anybody listens there."""

import socket
from pathlib import Path

import pytest

from tests import ports
from tidemark.local.ports import free_port

HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_the_first_that_is_free_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = ports.free_port()

        assert other == free_port(taken.getsockname()[1], other)


def test_none_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who starts several servers asks for all of their ports before the first one listens."""
    monkeypatch.setattr(ports, "OURS", range(19_000, 19_100))

    given = [ports.free_port() for _ in range(50)]

    assert len(set(given)) == len(given)


@pytest.mark.skipif(not HANDED_OUT.exists(), reason="only Linux says which ports it hands out")
def test_no_connection_is_given_a_port_that_was_found_free() -> None:
    """A server takes seconds to listen, and may be stopped and started again."""
    first = int(HANDED_OUT.read_text().split()[0])

    assert max(port for port in (free_port(), ports.free_port()) if port) < first
