"""Status: read from control tables that were written by the code that publishes."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from tests.console.conftest import Tidemark
from tests.console.place import Place
from tests.present import present
from tidemark.mirror import Mirror
from tidemark.status.look import describe_slot, look
from tidemark.status.render import _protected, show
from tidemark.status.report import Report, table_report, verified_through
from tidemark_contract.marks import Mark, MarkKind
from tidemark_contract.names import TableName
from tidemark_contract.protection import Protect
from tidemark_contract.visibility import Snapshot
from tidemark_jobs.control import Control, PublishedMark, TableState, TableVersion
from tidemark_jobs.tables import ProofRow
from tidemark_source.slots import SlotHealth

ORDERS = TableName("public", "orders")
ODD = TableName("Odd Schema", 'a"b')
TAKEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def mark(number: int, lsn: int = 0x16B374D848) -> Mark:
    return Mark(
        id=number,
        nonce=f"nonce-{number}",
        previous=f"nonce-{number - 1}",
        kind=MarkKind.SYNC,
        snapshot=Snapshot(700 + number, 700 + number, frozenset()),
        lsn=lsn,
        taken_at=TAKEN + timedelta(minutes=number),
        system_id="7300000000000000001",
        timeline=1,
        catalog_json="[]",
    )


def proof(table: TableName, number: int, equal: bool = True) -> ProofRow:
    at = mark(number)
    return ProofRow("shop", str(table), number, at.lsn, at.taken_at, equal, 3, 0 if equal else 2, "[]", at.taken_at)


@pytest.fixture
def published(discovered: Place) -> Mirror:
    """Mark 7: orders live with 75,000 rows, the odd table out of it; both proven at mark 5, orders at 6 too."""
    mirror = Mirror.open(None)
    control = Control(mirror.layout)
    versions = (TableVersion(ORDERS, 12, mark=7, copy=1, rows=75_000),)
    control.publish(PublishedMark(mark(7), 1, 1, 42, versions, TAKEN), None)
    control.set_states(lambda _: {ORDERS: TableState("live"), ODD: TableState("changed", "it was rewritten")})
    control.add_proofs([proof(ORDERS, 5), proof(ODD, 5), proof(ORDERS, 6)])
    return mirror


def test_status_tells_every_table_with_state_rows_mark_and_proof(published: Mirror, tidemark: Tidemark) -> None:
    [file] = published.settings.specs.glob("shop/public.orders.yaml")
    file.write_text(file.read_text() + "history: scd2\n")
    outcome = tidemark("status", "--json")

    (source,) = json.loads(outcome.out)["sources"]
    tables = {table["table"]: table for table in source["tables"]}
    assert 0 == outcome.code
    live, out = tables["public.orders"], tables['"Odd Schema"."a""b"']
    assert ("live", 75_000, 7, 6) == (live["state"], live["rows"], live["mark"], live["verified_through"])
    assert ("changed", "it was rewritten", None, 5) == (out["state"], out["why"], out["mark"], out["verified_through"])
    assert [published.layout.history(ORDERS), None] == [live["history"], out["history"]]
    assert live["lag_s"] > 0
    assert None is out["lag_s"]
    assert {"mark": 7, "lsn": "16/B374D848", "time": "2026-03-01T12:37:00+00:00"} == source["published"]
    assert 5 == source["verified_through"]["mark"]
    assert "stopped" == source["stream"]["state"]
    assert "tidemark init" in source["slot"]["problem"]


def test_status_names_the_columns_that_the_spec_does_not_know_yet(published: Mirror) -> None:
    [spec] = [spec for spec in published.source.tables if spec.table == ORDERS]
    columns = [{"number": n, "name": c.name, "type": 25, "declared": c.type} for n, c in enumerate(spec.columns, 1)]
    grown = [*columns, {"number": 9, "name": "note", "type": 25, "declared": "text"}]
    facts = {"oid": 1, "root": 1, "schema": "public", "table": "orders", "filenode": 1, "attributes": 9}
    facts |= {"identity": "d", "key": [1], "keys": [[1]]}
    why = []
    for there in (columns, grown):
        now = replace(mark(7), catalog_json=json.dumps([{**facts, "columns": there}]))
        at = PublishedMark(now, 1, 1, 0, (TableVersion(ORDERS, 12, mark=7, copy=1, rows=3),), TAKEN)
        why.append(table_report(spec, TableState("live"), at, [], TAKEN, None).why)

    assert ["", "followed the source in note: `tidemark discover --force` writes them into its spec"] == why


def test_status_names_the_protected_columns(published: Mirror) -> None:
    [spec] = [spec for spec in published.source.tables if spec.table == ORDERS]
    first, *others = spec.columns
    protected = spec.with_columns((replace(first, protect=Protect.HASH), *others))
    report = table_report(protected, None, None, [], TAKEN, None)

    assert {first.name: "hash"} == report.as_dict()["protected"]
    assert [f"protected in public.orders: {first.name} (hash)"] == [line.plain for line in _protected([report])]
    assert [] == _protected([table_report(spec, None, None, [], TAKEN, None)])


def test_status_ends_with_the_mark_through_which_everything_is_verified(published: Mirror, tidemark: Tidemark) -> None:
    outcome = tidemark("status")

    assert "verified through mark 5 (LSN 16/B374D848, time 2026-03-01 12:35:00+0000)" == outcome.out.splitlines()[-1]
    assert "changed" in outcome.out
    assert "it was rewritten" in outcome.out
    assert "75,000" in outcome.out


def test_names_in_brackets_are_not_taken_for_colours() -> None:
    out = io.StringIO()
    report = _report_with("[bold]odd[/bold]")

    show(report, Console(file=out, width=120))

    assert "[bold]odd[/bold]" in out.getvalue()


def test_before_the_first_copy_every_table_is_new_and_nothing_is_verified(
    discovered: Place, tidemark: Tidemark
) -> None:
    outcome = tidemark("status")

    assert 0 == outcome.code
    assert 2 == outcome.out.count("not copied yet: `tidemark copy`")
    assert "no mark is published yet" in outcome.out
    assert "not verified yet: `tidemark verify`" == outcome.out.splitlines()[-1]


def test_lag_in_bytes_is_from_the_published_mark_to_the_end_of_the_sources_log(
    discovered: Place, tidemark: Tidemark
) -> None:
    assert 0 == tidemark("init").code
    mirror = Mirror.open(None)
    version = TableVersion(ORDERS, 1, mark=1, copy=1, rows=0)
    Control(mirror.layout).publish(PublishedMark(mark(1, lsn=1), 1, 1, 0, (version,), TAKEN), None)

    report = look(mirror)

    assert report.tables[0].lag_bytes or report.tables[1].lag_bytes
    assert report.health.slot_state == "idle"


def test_lag_is_by_the_clock_that_marks_have_their_times_from(
    discovered: Place, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the source's server: ours may be hours off it."""
    assert 0 == tidemark("init").code
    mirror = Mirror.open(None)
    version = TableVersion(ORDERS, 1, mark=1, copy=1, rows=0)
    Control(mirror.layout).publish(PublishedMark(mark(1, lsn=1), 1, 1, 0, (version,), TAKEN), None)
    there = TAKEN + timedelta(minutes=1, seconds=7)
    slot = SlotHealth(True, 1, "reserved", None, 1, 1, 1, 1, None, there)
    monkeypatch.setattr("tidemark.status.look.slot_health", lambda *_: slot)

    assert {7.0, None} == {table.lag_s for table in look(mirror).tables}


def test_a_source_that_does_not_answer_is_said_and_the_lake_is_told_all_the_same(
    published: Mirror, tidemark: Tidemark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "TIDEMARK_SOURCE_SHOP_URL", published.settings.source_url("shop").replace("127.0.0.1", "127.0.0.1") + "x"
    )

    outcome = tidemark("status")

    assert 0 == outcome.code
    assert "does not exist" in outcome.out
    assert "verified through mark 5" in outcome.out


def test_a_lost_slot_is_told_with_the_way_back() -> None:
    slot = SlotHealth(False, None, "lost", "wal_removed", None, None, None, None, None)

    health = describe_slot(slot, "shop")

    assert "lost" == health.slot_state
    assert "copy" in health.problem


def test_verified_through_is_the_newest_mark_at_which_every_table_was_equal() -> None:
    tables = [ORDERS, ODD]

    assert None is verified_through(tables, [])
    assert None is verified_through(tables, [proof(ORDERS, 5), proof(ODD, 6)])
    assert None is verified_through(tables, [proof(ORDERS, 5), proof(ODD, 5, equal=False)])
    both = [proof(ORDERS, 5), proof(ODD, 5)]
    assert 5 == present(verified_through(tables, [*both, proof(ORDERS, 6), proof(ODD, 6, equal=False)])).mark


def test_a_proof_that_was_taken_back_at_the_same_mark_counts_no_more() -> None:
    both = [proof(ORDERS, 5), proof(ODD, 5)]

    assert None is verified_through([ORDERS, ODD], [*both, replace(proof(ODD, 5), equal=False)])


def _report_with(why: str) -> Report:
    from tidemark.status.report import Report, SourceHealth, TableReport

    return Report("shop", (TableReport(ORDERS, "stale", why),), None, None, 0, SourceHealth(), {"state": "stopped"})
