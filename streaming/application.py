"""The entry point for Flink's PythonDriver, which runs files: `-py application.py --source shop --incarnation 1 …`."""

import sys

from tidemark_streaming.application import submit

if __name__ == "__main__":
    submit(sys.argv[1:])
