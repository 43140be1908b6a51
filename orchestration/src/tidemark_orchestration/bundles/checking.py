"""DAG files parsed before they are promoted, in a process of their own: what they import has to go with it."""

import json
import subprocess
import sys
from pathlib import Path

from tidemark_contract.errors import ConfigurationError

_PARSE = """
import json, sys
from airflow.dag_processing.dagbag import BundleDagBag
from pathlib import Path
bag = BundleDagBag(dag_folder=sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="checked", safe_mode=True)
print(json.dumps({"errors": bag.import_errors, "dags": len(bag.dags)}))
"""
_LIMIT_S = 600


def check(folder: Path) -> int:
    """Give the number of DAGs; ConfigurationError with every file that cannot be imported, or when there is no DAG."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PARSE, str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise ConfigurationError(f"the DAGs could not be parsed: {done.stderr.strip().rpartition(chr(10))[2]}")
    found = json.loads(done.stdout.splitlines()[-1])
    if found["errors"]:
        told = "; ".join(f"{name}: {text.strip().rpartition(chr(10))[2]}" for name, text in found["errors"].items())
        raise ConfigurationError(f"not promoted, for it cannot be imported: {told}")
    if not found["dags"]:
        raise ConfigurationError("not promoted: there is no DAG in it")
    return int(found["dags"])
