"""A single wrong cell is found in any table that the cases have left."""

import os
import random

import pytest

from tests.e2e.world import warm_run
from tests.e2e.wrong_cells import proving
from tests.exactness.cases import EQUAL, chosen_cases
from tests.exactness.conftest import Played
from tests.variants import ALL
from tidemark_contract.argv import Job
from tidemark_contract.specs import TableSpec
from tidemark_jobs.plan import LIVE

TABLES = 30 if ALL else 10
# Their files are written anew for each wrong cell.
MOST_ROWS = 50_000


def with_rows(played: Played) -> list[TableSpec]:
    """Give the tables of which every row is proven: those that are deleted softly are the source's no more."""
    published = played.world.control.published(played.truths[1])
    assert published
    states = played.world.control.tables()
    rows = {version.table: version.rows for version in published.tables if states[version.table].state == LIVE}
    return [
        spec
        for case in chosen_cases()
        if case.state == EQUAL
        for spec in played.world.tables(case)
        if 0 < rows.get(spec.table, 0) <= MOST_ROWS and not spec.soft
    ]


@pytest.mark.timeout(900)
def test_a_proof_names_every_wrong_cell(played: Played) -> None:
    chance = random.Random(os.environ.get("TIDEMARK_SEED"))
    specs = with_rows(played)
    run = warm_run(played.world.environment, played.spark, Job("verify", "shop", timeout=180))

    with proving(run, chance.sample(specs, min(TABLES, len(specs)))) as proofs:
        missed = proofs.missed(chance)
        alarms = proofs.unequal(proofs.specs)

    assert not missed, "\n".join(missed)
    assert not alarms, alarms
