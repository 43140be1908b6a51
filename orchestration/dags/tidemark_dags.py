"""All DAGs. (Airflow skips, in silence, files that lack the words "airflow" and "dag".)"""

import os
from pathlib import Path

from tidemark_contract.outlines import load_outlines
from tidemark_orchestration.gold import gold_dags
from tidemark_orchestration.hygiene import hygiene_dag
from tidemark_orchestration.mirror import mirror_dags

dags = [hygiene_dag()]
for source in load_outlines(Path(os.environ["TIDEMARK_SPECS"])):
    dags += [*mirror_dags(source), *gold_dags(source)]
for dag in dags:
    globals()[dag.dag_id] = dag
