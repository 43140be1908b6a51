"""Control tables that are appended to for ever stay small, and lose nothing by it."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from tidemark_contract.errors import LakeDamaged
from tidemark_contract.layout import Layout
from tidemark_contract.marks import Mark, MarkKind
from tidemark_contract.visibility import Snapshot
from tidemark_jobs import deltalog
from tidemark_jobs.control import Control, PublishedMark
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.tables import ProofRow

EVERY = 5


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deltalog, "COMPACT_EVERY", EVERY)


def published(number: int) -> PublishedMark:
    now = datetime.now(UTC)
    made = Mark(
        id=number,
        nonce=f"nonce-{number}",
        previous=f"nonce-{number - 1}",
        kind=MarkKind.SYNC,
        snapshot=Snapshot(700 + number, 700 + number, frozenset()),
        lsn=number,
        taken_at=now,
        system_id="7300000000000000001",
        timeline=1,
        catalog_json="[]",
    )
    return PublishedMark(made, number, number, 0, (), now)


def publish(control: Control, count: int) -> None:
    before = None
    for number in range(1, count + 1):
        control.publish(now := published(number), before)
        before = now


def files(layout: Layout, name: str) -> list[str]:
    return list(open_table(layout.control(name)).file_uris())


def test_marks_are_in_few_files_and_each_is_found(tmp_path: Path) -> None:
    control = Control(Layout(tmp_path.as_uri(), "shop"))
    publish(control, 4 * EVERY + 1)

    assert len(files(control.layout, "marks")) <= EVERY + 1
    assert list(range(1, 4 * EVERY + 2)) == [found.mark.id for found in control.marks_since(0)]
    newest, third = control.published(), control.published(3)
    assert (4 * EVERY + 1, 3) == (newest and newest.mark.id, third and third.mark.id)


def test_sources_that_publish_beside_each_other_lose_no_mark(tmp_path: Path) -> None:
    controls = [Control(Layout(tmp_path.as_uri(), source)) for source in ("shop", "depot")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda control: publish(control, 4 * EVERY), controls))

    for control in controls:
        assert list(range(1, 4 * EVERY + 1)) == [found.mark.id for found in control.marks_since(0)]
    assert len(files(controls[0].layout, "marks")) <= 2 * EVERY + 2


def test_a_compaction_that_fails_fails_no_publication(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The mark is published by then: to say that it is not would be wrong."""
    control = Control(Layout(tmp_path.as_uri(), "shop"))
    publish(control, EVERY)
    for file in files(control.layout, "marks")[:1]:
        Path(file.removeprefix("file://")).rename(tmp_path / "away")
    control.publish(published(EVERY + 1), published(EVERY))
    for number in range(EVERY + 1, 2 * EVERY + 1):
        control.publish(published(number + 1), published(number))

    assert "compaction_left" in capfd.readouterr().err


def half_an_entry(table: Path) -> None:
    newest = max((table / "_delta_log").glob("*.json"))
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])


def a_gap(table: Path) -> None:
    min((table / "_delta_log").glob("*.json")).unlink()


def a_lost_file(table: Path) -> None:
    for file in table.glob("source=*/*.parquet"):
        file.unlink()


def a_cut_file(table: Path) -> None:
    for file in table.glob("source=*/*.parquet"):
        file.write_bytes(file.read_bytes()[:50])


def a_foreign_table(table: Path) -> None:
    shutil.rmtree(table)
    write_deltalake(table.as_uri(), pa.table({"source": ["shop"], "mark": [1]}))


@pytest.mark.parametrize("damage", [half_an_entry, a_gap, a_lost_file, a_cut_file, a_foreign_table])
def test_a_damaged_table_is_named_with_the_cure_and_not_written_to(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    control = Control(Layout(tmp_path.as_uri(), "shop"))
    publish(control, 2)
    damage(tmp_path / "control/marks")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    for ask in (control.published, lambda: control.marks_since(0), control.catalogs):
        with pytest.raises(LakeDamaged, match=r"control/marks.* cannot be read: .*; put its files back as they were"):
            ask()
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_maintenance_deletes_what_compactions_have_replaced(tmp_path: Path) -> None:
    control = Control(Layout(tmp_path.as_uri(), "shop"))
    publish(control, 2 * EVERY)
    at = datetime.now(UTC)
    control.add_proofs([ProofRow("shop", "public.t", 1, 1, at, True, 0, 0, "[]", at)])
    there = set((tmp_path / "control").rglob("*.parquet"))

    control.vacuum(0)

    kept = {file.removeprefix("file://") for name in ("marks", "proofs") for file in files(control.layout, name)}
    data = {str(file) for file in (tmp_path / "control").rglob("source=*/*.parquet")}
    assert kept == data
    assert len(data) < len([file for file in there if "_delta_log" not in file.parts])
    assert 2 * EVERY == len(control.marks_since(0))
    assert 1 == len(control.proofs())
