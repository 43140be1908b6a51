"""A PostgreSQL of its own, for tests in an environment without the console.

Run with the Spark environment's Python and a folder. Says the superuser's URL on stdout, and again after each word that
it reads from stdin, `stop` or `start`; removes the server when stdin closes, also by the death of whoever started it.
"""

import signal
import sys
from pathlib import Path

from tidemark.local.home import home
from tidemark.local.postgres import EmbeddedPostgres


def main(folder: Path) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = EmbeddedPostgres(home() / "postgres" / "17", folder)
    try:
        server.start()
        print(url := server.superuser_url, flush=True)
        for line in sys.stdin:
            if line.strip() == "stop":
                server.stop("immediate")
            else:
                server.start()
            print(url, flush=True)
    finally:
        server.remove()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
