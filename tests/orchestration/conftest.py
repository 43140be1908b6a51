"""An Airflow of its own, in a folder that goes with the tests; set before Airflow is imported."""

import os
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="tidemark-airflow-"))
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
}
