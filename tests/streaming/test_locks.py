from pathlib import Path

import pytest

from tidemark_contract.errors import LeaseTaken
from tidemark_streaming.locks import command_lock


def test_a_lock_that_is_held_is_refused_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "shop" / "lock"
    with command_lock(file, wait_s=0), pytest.raises(LeaseTaken, match=str(file)), command_lock(file, wait_s=0.2):
        pass


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), command_lock(tmp_path / "lock", wait_s=0):
        raise ZeroDivisionError
    with command_lock(tmp_path / "lock", wait_s=0):
        pass
