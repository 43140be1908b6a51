"""What is published, as the jobs record it: the one place where the console reads what another part writes.

These modules of the jobs are read with deltalake alone; none of them knows Spark.
"""

from tidemark_jobs.control import Control, PublishedMark, TableState, TableVersion
from tidemark_jobs.tables import ProofRow

__all__ = ["Control", "ProofRow", "PublishedMark", "TableState", "TableVersion"]
