"""A job that says all it knows: in its lines, its summary and, where it fails, as its reason."""

import json
import os
import sys
import time

time.sleep(2)  # long enough to be seen among the processes
known = dict(os.environ)
print(f"a line {known}", file=sys.stderr)
print(json.dumps({"event": "started", "level": "info", "known": known, "argv": sys.argv}), file=sys.stderr)
if "verify" in sys.argv:
    print(json.dumps({"event": "failed", "level": "error", "message": f"it knows {known}"}), file=sys.stderr)
    sys.exit(1)
print(json.dumps({"mark": 1, "lsn": "0/1", "taken_at": "2026-01-01", "known": known}))
