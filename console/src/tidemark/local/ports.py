"""Free ports on loopback."""

import random
import socket

# Below those that systems hand out by themselves (Linux from 32768 on, macOS from 49152): no connection of anybody's
# takes one of these while who was told of it does not listen yet, or is stopped for a while.
_OURS, _TRIES = range(10_000, 20_000), 100


def free_port(*wanted: int) -> int | None:
    """Give the first of these ports that is free, else one that is; None where there is none."""
    for port in (*filter(None, wanted), *random.sample(_OURS, _TRIES)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return None
