import os
import signal
import subprocess
import sys

import pytest

# At each line of the wait, one after the other: a threading.Event that a handler sets is stuck at some of them.
WAITS = """
import signal, sys
from tidemark_contract.ending import Ending

def asked_at(line):
    ending, seen = Ending(), 0
    def trace(frame, event, arg):
        nonlocal seen
        seen += 1
        if seen == line:
            signal.raise_signal(int(sys.argv[1]))
        return trace
    sys.settrace(trace)
    ending.within(0.01)
    sys.settrace(None)
    assert ending.within(0) == (seen >= line)
    return seen >= line

line = 1
while asked_at(line):
    line += 1
assert line > 5
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_ends_wherever_in_its_wait_it_is_asked(number: signal.Signals) -> None:
    argv = [sys.executable, "-c", WAITS, str(int(number))]
    done = subprocess.run(argv, env=os.environ, capture_output=True, text=True, timeout=60, check=False)
    assert "ended\n" == done.stdout, done.stderr
