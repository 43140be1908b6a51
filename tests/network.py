"""A bad network: a TCP proxy before a server, whose connections can be slow, cut, forgotten or swallowed."""

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

RST = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset
SO_ATTACH_FILTER, TCP_REPAIR = 26, 19  # Linux


@dataclass
class _Connection:
    client: socket.socket
    server: socket.socket
    silent: bool = False

    @property
    def ends(self) -> tuple[socket.socket, socket.socket]:
        return self.client, self.server


@dataclass
class Network:
    """The way to one server on this machine; `port` is the proxy's.

    What befalls the connections of now stays with them for good; what a field says, every one while it says so.
    """

    target: int
    latency_s: float = 0.0
    bytes_per_s: int = 0  # 0: no limit
    silent: bool = False  # new connections too are accepted, and nothing is handed on
    left: int | None = None  # so many bytes of the server's go through, then all connections are reset
    passed: int = 0  # so many bytes of the server's have gone through: no fewer than its clients have
    _connections: list[_Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._closing = threading.Lock()  # held by who closes an end, and by who needs the open ones to stay so
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        """Take all bytes and hand none on, as a proxy that has lost its other side; to both ends all looks well."""
        self.silent = True
        self._silenced()

    def heal(self) -> None:
        """Be well to new connections."""
        self.latency_s, self.bytes_per_s, self.silent, self.left = 0.0, 0, False, None

    def reset(self) -> None:
        """End all connections of now by a reset at both ends."""
        for connection in self._taken():
            self._reset(*connection.ends)

    def vanish(self) -> None:
        """Let no packet of either end arrive any more, on connections of now: none is acknowledged. Linux."""
        nothing = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))  # BPF: return 0
        with self._closing:
            for end in self._silenced():
                program = struct.pack("HL", 1, ctypes.addressof(nothing))
                end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def forget(self) -> None:
        """Know nothing of the connections of now, as a machine that was started again. Linux, root."""
        with self._closing:
            for end in self._silenced():
                end.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
                end.close()

    def close(self) -> None:
        self._listener.close()
        self.reset()

    def _silenced(self) -> list[socket.socket]:
        """Hand nothing on any more between connections of now; give those of their ends that are open."""
        for connection in self._connections:
            connection.silent = True
        ends = [end for connection in self._connections for end in connection.ends]
        return [end for end in ends if end.fileno() >= 0]

    def _reset(self, *ends: socket.socket) -> None:
        with self._closing:
            for end in ends:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
                    end.shutdown(socket.SHUT_RD)  # wakes whoever reads
                end.close()

    def _taken(self) -> list[_Connection]:
        taken, self._connections = self._connections, []
        return taken

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:  # away; it may come back
                    self._reset(client)
                else:
                    self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(client, server, self.silent)
        self._connections.append(connection)  # from here on its ends may be closed at any moment
        for source, sink, limited in ((client, server, False), (server, client, True)):
            threading.Thread(target=self._hand_on, args=(connection, source, sink, limited), daemon=True).start()

    def _hand_on(self, connection: _Connection, source: socket.socket, sink: socket.socket, limited: bool) -> None:
        with suppress(OSError):  # an end was closed: that is how connections end here
            while data := _received(source):
                for piece in self._pieces(data):
                    if limited and self._is_used_up(len(piece)):
                        self.reset()
                        return
                    if not connection.silent:
                        self.passed += len(piece) if limited else 0
                        sink.sendall(piece)
            if connection.silent:
                return
            if data is None:
                self._reset(sink)
            else:
                sink.shutdown(socket.SHUT_WR)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Give all of it, each piece when it may arrive."""
        time.sleep(self.latency_s)
        while data:
            size = max(1, self.bytes_per_s // 10) if self.bytes_per_s else len(data)
            time.sleep(size / self.bytes_per_s if self.bytes_per_s else 0)
            yield data[:size]
            data = data[size:]

    def _is_used_up(self, size: int) -> bool:
        if self.left is None:
            return False
        self.left -= size
        return self.left < 0


def _received(end: socket.socket) -> bytes | None:
    """Give what came; nothing at the end, None when the other side has reset the connection."""
    try:
        return end.recv(1 << 16)
    except ConnectionResetError:
        return None


@contextmanager
def network_to(port: int, **options: Any) -> Iterator[Network]:
    """Give a network before the server at a port of this machine."""
    network = Network(port, **options)
    try:
        yield network
    finally:
        network.close()
