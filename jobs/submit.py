"""The entry point for spark-submit: `spark-submit … submit.py sync --source shop`.

It lies outside the package: Spark puts the folder of its file before all others where Python looks for modules, and the
package has a copy.py.
"""

import sys

from tidemark_jobs.__main__ import run_as_process

if __name__ == "__main__":
    run_as_process(sys.argv[1:])
