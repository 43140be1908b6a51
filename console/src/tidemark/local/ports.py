"""Free ports on loopback."""

import socket


def free_port(*wanted: int) -> int | None:
    """Give the first of these ports that is free, else any that is; None where there is none."""
    for port in (*wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return None
