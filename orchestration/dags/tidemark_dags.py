"""All DAGs. (Airflow skips, in silence, files that lack the words "airflow" and "dag".)"""

import os
from pathlib import Path

from tidemark_contract.outlines import load_outlines
from tidemark_orchestration.gold import gold_dags
from tidemark_orchestration.mirror import mirror_dags

for source in load_outlines(Path(os.environ["TIDEMARK_SPECS"])):
    for dag in (*mirror_dags(source), *gold_dags(source)):
        globals()[dag.dag_id] = dag
