"""All DAGs. (Airflow skips, in silence, files that lack the words "airflow" and "dag".)"""

import os
from pathlib import Path

from tidemark_contract.specs import load_sources
from tidemark_orchestration.dags import gold_dags, sync_dag

for source in load_sources(Path(os.environ["TIDEMARK_SPECS"])):
    for dag in (sync_dag(source), *gold_dags(source)):
        globals()[dag.dag_id] = dag
