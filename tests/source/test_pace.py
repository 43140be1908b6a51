"""How long a reading rests."""

import threading
import time

import pytest

from tidemark_source.pace import FULL, Pace


def seconds(share: float, *works: float) -> tuple[float, float]:
    """Do pieces of work of so many seconds in threads of their own; tell how long they took, and all with the rests."""
    worked: list[float] = []

    def work(length: float) -> None:
        with pace.work():
            began = time.monotonic()
            time.sleep(length)
            worked.append(time.monotonic() - began)

    began, pace = time.monotonic(), Pace(share, burst_s=0)
    threads = [threading.Thread(target=work, args=(length,)) for length in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(worked), time.monotonic() - began


def test_it_rests_in_proportion_to_the_work_of_all() -> None:
    worked, took = seconds(0.25, 0.1, 0.1)

    assert 4 * worked <= took < 4 * worked + 30


def given_up() -> None:
    raise InterruptedError


def test_at_full_pace_and_at_the_beginning_it_does_not_rest() -> None:
    """Who rests is asked whether that is wanted still."""
    with Pace(FULL, given_up, burst_s=0).work():
        time.sleep(0.1)
    with Pace(0.001, given_up, burst_s=60).work():
        time.sleep(0.1)


def test_what_the_check_raises_ends_the_rest() -> None:
    with pytest.raises(InterruptedError), Pace(0.0001, given_up, burst_s=0).work():
        time.sleep(0.05)
