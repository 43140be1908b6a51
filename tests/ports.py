"""Ports for servers that are told theirs before they start."""

import random
import socket

# As in console/src/tidemark/local/ports.py, which not every environment has.
OURS, TRIES = range(10_000, 20_000), 100
GIVEN = set[int]()


def free_port(host: str = "127.0.0.1") -> int:
    """Give one that nobody has or was given, and that the system hands out to nobody until the server listens."""
    for port in random.sample(OURS, TRIES):
        if port in GIVEN:
            continue
        try:
            socket.create_server((host, port)).close()
        except OSError:
            continue
        GIVEN.add(port)
        return port
    raise AssertionError(f"no port is free on {host}")
