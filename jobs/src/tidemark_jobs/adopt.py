"""Adoption: the files of a finished copy become a silver table's whole content, in one commit.

Of a table that keeps what is deleted, they and the rows that the table had and the copy lacks.
"""

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_contract.specs import TableSpec
from tidemark_jobs.copy import CopiedTable
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.logs import log
from tidemark_jobs.missing import write_missing
from tidemark_jobs.run import Run
from tidemark_jobs.silver import Standing, Step, new_schema, standing
from tidemark_jobs.upsert.commit import commit, removed
from tidemark_jobs.upsert.data_files import active_files
from tidemark_jobs.upsert.written import written_files

ATTEMPTS = 5


def adopt(run: Run, spec: TableSpec, copied: CopiedTable, mark: Mark, *, since: int) -> Standing:
    """Make the files of a copy a table's whole content, and its columns the spec's; give where it stands.

    What an earlier run did that was cut off, after the version `since`, is found and not done again.
    """
    path, rows = run.layout.silver(spec.table), copied.rows
    for _ in range(ATTEMPTS):
        if tail := standing(path, since).since_adoption(mark.nonce):
            return tail
        table = open_table(path)
        step = Step(base="", mark=mark.id, nonce=mark.nonce, rows=rows)
        before = active_files(path, table.version())
        files = [*written_files(path, copied.folder)]
        if before and spec.soft:
            files += written_files(path, write_missing(run.spark, path, table, spec, files, mark))
        adds = [add for file in files for add in file.adds()]
        actions = [*new_schema(table, spec), *map(removed, before), *adds]
        # If not, somebody else, a compaction maybe, has committed meanwhile.
        if commit(path, table.version() + 1, step, actions, {"numOutputRows": rows}, operation="WRITE"):
            log("copy_adopted", path=path, mark=mark.id, rows=rows)
            return Standing(table.version() + 1, (), spec.soft)
    raise LakeUnavailable(f"{path} is rewritten by others all the time: its copy lost {ATTEMPTS} races")
