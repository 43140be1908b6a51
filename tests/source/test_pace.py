"""How long a reading rests."""

import threading
import time

import pytest

from tidemark_source.pace import FULL, Pace


def seconds(pace: Pace, *works: float) -> float:
    """Do pieces of work of so many seconds in threads of their own, and tell how long all took."""

    def work(length: float) -> None:
        with pace.work():
            time.sleep(length)

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(length,)) for length in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def test_it_rests_in_proportion_to_the_work_of_all() -> None:
    assert 0.75 < seconds(Pace(0.25, burst_s=0), 0.1, 0.1) < 3


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
