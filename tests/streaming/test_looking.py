"""What tests look with bears that others come and go."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.streaming.looking import files_with, listening_addresses


@contextmanager
def busy(work: "threading.Thread", over: threading.Event) -> Iterator[None]:
    work.start()
    try:
        yield
    finally:
        over.set()
        work.join()


def test_folders_may_go_while_they_are_looked_through(tmp_path: Path) -> None:
    """As Flink's checkpoints do, twice a second."""
    over = threading.Event()
    (tmp_path / "kept").write_text("a secret")

    def come_and_go() -> None:
        while not over.is_set():
            (tmp_path / "checkpoints" / "chk-1").mkdir(parents=True)
            (tmp_path / "checkpoints" / "chk-1" / "_metadata").write_text("x")
            shutil.rmtree(tmp_path / "checkpoints")

    with busy(threading.Thread(target=come_and_go), over):
        for _ in range(100):
            assert [tmp_path / "kept"] == files_with(tmp_path, "secret")


def test_files_may_be_closed_while_a_process_is_looked_at() -> None:
    over = threading.Event()

    def open_and_close() -> None:
        while not over.is_set():
            for number in [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]:
                os.close(number)

    with busy(threading.Thread(target=open_and_close), over):
        for _ in range(100):
            listening_addresses(os.getpid())
    assert set() == listening_addresses(2**22 + 1), "there is no such process"
