"""Adoption of a repair: its rows come in the place of those that differed, in one commit."""

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_contract.specs import TableSpec
from tidemark_jobs.adopt import ATTEMPTS
from tidemark_jobs.copy import CopiedTable
from tidemark_jobs.logs import log
from tidemark_jobs.run import Run
from tidemark_jobs.silver import Standing, Step, standing_of
from tidemark_jobs.upsert.apply import Overtaken, replace_rows
from tidemark_jobs.upsert.lookup import look_up
from tidemark_jobs.upsert.place import open_place
from tidemark_jobs.upsert.written import written_files


def adopt_repair(run: Run, spec: TableSpec, repair: CopiedTable, mark: Mark) -> Standing:
    """Bring a repair's rows into the table that it looked at; give where it stands from there on.

    What an earlier run did that was cut off is found and not done again. Whoever has changed rows of the table since
    it was looked at has made the repair void: that commit is in what is given, for the caller to stumble over.
    """
    path = run.layout.silver(spec.table)
    for _ in range(ATTEMPTS):
        place = open_place(path)
        found = standing_of(place.table, repair.repairs or 0)
        if tail := found.since_adoption(mark.nonce):
            return tail
        if found.steps:
            return found
        step = Step(base="", mark=mark.id, nonce=mark.nonce)
        files = list(written_files(path, repair.folder))
        went = look_up(run.spark, place, files)
        try:
            replace_rows(place, files, went, step, truncated=False)
        except Overtaken:
            continue
        log("repair_adopted", path=path, mark=mark.id, rows=repair.rows)
        return Standing(place.version + 1, (), spec.soft)
    raise LakeUnavailable(f"{path} is rewritten by others all the time: its repair lost {ATTEMPTS} races")
