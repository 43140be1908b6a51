"""All DAGs. (Airflow skips, in silence, files that lack the words "airflow" and "dag".)"""

import os
from pathlib import Path

from tidemark_contract.outlines import load_outlines
from tidemark_orchestration.gold import gold_dags
from tidemark_orchestration.hygiene import hygiene_dag
from tidemark_orchestration.mirror import mirror_dags

# Specs that lie beside this file are of its version.
beside = Path(__file__).with_name("specs")
dags = [hygiene_dag()]
for source in load_outlines(beside if beside.is_dir() else Path(os.environ["TIDEMARK_SPECS"])):
    dags += [*mirror_dags(source), *gold_dags(source)]
for dag in dags:
    globals()[dag.dag_id] = dag
