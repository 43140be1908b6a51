"""Look at what processes and folders give away."""

import os
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from tests.walking import content_of, files_below

LINUX = Path("/proc/net/tcp").exists()
_LISTEN = "0A"


def files_with(folder: Path, *texts: str) -> list[Path]:
    """The files below a folder that hold one of the texts; one that is gone when looked at holds nothing."""
    return [file for file in files_below(folder) if any(text.encode() in content_of(file) for text in texts)]


def listening_addresses(pid: int) -> set[str]:
    """The addresses on which a process accepts TCP connections; none of one that has ended."""
    sockets = {link[len("socket:[") : -1] for link in _open_files(pid) if link.startswith("socket:[")}
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {_address(line[1]) for line in lines if line[3] == _LISTEN and line[9] in sockets}


def _open_files(pid: int) -> Iterator[str]:
    """What a process has open; it opens and closes files meanwhile, and may end."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                yield os.readlink(f"/proc/{pid}/fd/{name}")


def _address(column: str) -> str:
    words = bytes.fromhex(column.partition(":")[0])
    # The kernel writes each 32-bit word of an address in the machine's order.
    network = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    address = ip_address(network)
    return str((address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address)
