"""What people see of a job's result, from summaries as the jobs print them."""

import json
from pathlib import Path

import pytest

from tidemark.local.sync_log import SyncLog
from tidemark.progress import sentence
from tidemark.results import Facts, differences, show_erasure, show_facts, show_proof, show_stream, show_sync

PROOF: Facts = {
    "job": "verify",
    "source": "shop",
    "mark": 54,
    "equal": False,
    "tables": [
        {"table": "public.account", "equal": True, "rows": 200, "differing": 0, "details": []},
        {
            "table": "public.orders",
            "equal": False,
            "rows": 77638,
            "differing": 22,
            "details": [
                {"key": "1027", "kind": "unequal", "columns": ["o_comment", "o_clerk"]},
                {"key": "88612", "kind": "missing (1 in the source, 0 in the lake)", "columns": []},
            ],
        },
    ],
}
SYNC = {
    "job": "sync", "source": "shop", "mark": 59, "lsn": "0/10D53630", "taken_at": "2026-11-21T16:28:10+00:00",
    "tables": 8, "out": 1, "changes": 2479, "rows": 450304,
}  # fmt: skip


def test_a_difference_is_told_with_table_key_range_keys_and_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show_proof(PROOF, as_json=False)

    out = capsys.readouterr().out
    assert "proof at mark 54" in out
    assert "22 keys DIFFER" in out
    assert "public.orders: keys 1027 … 88612" in out
    assert "  1027: unequal in o_comment, o_clerk\n" in out
    assert "  88612: missing (1 in the source, 0 in the lake)\n" in out
    assert "  and 20 more" in out


def test_nothing_is_said_to_differ_in_an_equal_table() -> None:
    assert [] == list(differences(PROOF["tables"][0]))


def test_a_published_mark_is_told_with_what_is_out_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_sync(SYNC, as_json=False)

    line = "mark 59 (LSN 0/10D53630, time 2026-11-21T16:28:10+00:00): 2,479 changes, 8 tables, 1 tables out of it"
    assert capsys.readouterr().out.startswith(line)


ERASED = {
    "job": "erase", "source": "shop", "mark": 9, "keys": 3, "removed": {"silver": 2, "bronze": 1100, "control": 0},
    "deleted": {"objects": 12, "bytes": 45000}, "read": {"objects": 80, "bytes": 1200}, "left": {},
    "mentions": {"silver/public.visit": 4}, "versioned": True,
}  # fmt: skip


def test_an_erasure_is_told_with_what_is_gone_what_was_read_and_what_others_still_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_erasure(ERASED, as_json=False)

    out = capsys.readouterr().out
    assert "3 keys erased at mark 9; rows removed: silver 2, bronze 1,100, control 0\n" in out
    assert "12 objects deleted, 45.0 kB\n80 objects read, 1.2 kB: nothing of them is left\n" in out
    assert "rows of others still say a key's text: silver/public.visit 4\n" in out
    assert "the bucket keeps older versions" in out

    show_erasure(ERASED | {"left": {"bronze": 2}, "versioned": False, "mentions": {}}, as_json=False)
    out = capsys.readouterr().out
    assert "left: bronze 2\n" in out
    assert not any(words in out for words in ("nothing of them", "rows of others", "older versions"))


def test_a_dry_run_tells_what_would_go_and_what_lives(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"dry_run": True, "mark": 9, "living": 2, "rows": {"bronze": 11}, "mentions": {}}
    show_erasure(facts, as_json=False)

    out = capsys.readouterr().out
    assert "rows that would be removed, by place: bronze 11\n" in out
    assert "2 rows live at mark 9: delete them in the source first\n" in out


def test_scripts_get_every_summary_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for show in (
        show_sync,
        show_proof,
        show_erasure,
        lambda facts, as_json: show_facts("done", facts, as_json=as_json),
    ):
        show(SYNC, as_json=True)
        assert SYNC == json.loads(capsys.readouterr().out)


def test_the_log_of_a_background_sync_tells_its_marks_and_its_last_word(tmp_path: Path) -> None:
    log = SyncLog(tmp_path / "sync.log")
    assert (0, [], {}) == (log.size(), log.marks(), log.last_event())

    failed = {"level": "error", "event": "failed", "error": "LeaseTaken", "message": "another sync is running"}
    lines = [
        '{"level": "info", "event": "published", "mark": 7}',
        json.dumps(SYNC),
        "WARN of the engine",
        json.dumps(failed),
    ]
    log.file.write_text("\n".join(lines))

    assert [59] == log.marks()
    assert failed == log.last_event()


def test_a_stream_that_started_is_told_in_a_line_and_how_far_it_is_by_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = {"state": "running", "incarnation": 1, "landing": "file:///lake/000001", "web_ui": "http://127.0.0.1:1"}
    show_stream({**facts, "durable_lsn": 43993296, "restarts": 0, "reason": None}, as_json=False)

    assert "stream: running, incarnation 1, landing in file:///lake/000001, web UI http://127.0.0.1:1\n" == (
        capsys.readouterr().out
    )


def test_an_event_is_told_without_the_underscores_of_its_names() -> None:
    event = {"ts": "t", "level": "info", "event": "pipeline_runs", "orphans_removed": 0, "tables": 3}

    assert "pipeline runs: orphans removed 0, 3 tables" == sentence(event)
