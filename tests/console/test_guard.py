"""What a guard makes of what it sees, without a stream."""

from dataclasses import replace

import pytest

from tidemark.guard import Seen, beyond, hindrance
from tidemark_contract.errors import LeaseTaken, SettingsError, SourceChanged, SourceRefused, StreamDown
from tidemark_contract.limits import Limits
from tidemark_source.slots import SlotHealth

SLOT = SlotHealth(True, 4711, "reserved", None, 1, 2, 5_000_000, 0, None, None, 1000)
RUNS = Seen("shop", {"state": "running", "checkpoint_age_s": 4.0, "web_ui": "http://ui"}, SLOT, "", 7, 60.0)
LIMITS = Limits.read({})


def test_one_that_runs_within_its_limits_gives_no_reason_to_speak() -> None:
    assert None is hindrance(RUNS)
    assert {} == beyond(RUNS, LIMITS)


@pytest.mark.parametrize(
    ("seen", "error", "words"),
    [
        (replace(RUNS, problem="the slot was lost (wal_removed): `tidemark init`"), SourceChanged, "`tidemark init`"),
        (
            replace(RUNS, stream={"state": "failed", "reason": "[ACCESS_DENIED] no"}),
            SourceRefused,
            "[ACCESS_DENIED] no",
        ),
        (replace(RUNS, stream={"state": "down"}), LeaseTaken, "its slot is read by process 4711"),
        (
            replace(RUNS, stream={"state": "elsewhere", "reason": "no Flink"}, slot=replace(SLOT, active=False)),
            StreamDown,
            "nobody reads the slot tidemark_shop",
        ),
        (
            replace(RUNS, stream={"state": "down", "reason": "timed out", "run_by": "http://shop-rest:8081"}),
            StreamDown,
            "run by the cluster behind http://shop-rest:8081, which does not answer (timed out)",
        ),
    ],
    ids=["slot lost", "failed", "read elsewhere", "nobody reads", "cluster away"],
)
def test_what_stands_against_a_start_is_said(seen: Seen, error: type[Exception], words: str) -> None:
    why = hindrance(seen)

    assert isinstance(why, error)
    assert words in str(why)


def test_what_is_down_or_stopped_or_runs_elsewhere_is_no_hindrance() -> None:
    idle = replace(SLOT, active=False)
    assert None is hindrance(replace(RUNS, stream={"state": "down"}, slot=idle))
    assert None is hindrance(replace(RUNS, stream={"state": "stopped"}, slot=idle))
    assert None is hindrance(replace(RUNS, stream={"state": "elsewhere", "reason": "no Flink"}))


@pytest.mark.parametrize(
    ("seen", "limit", "words"),
    [
        (
            replace(RUNS, slot=replace(SLOT, retained_bytes=11 * 10**9)),
            "TIDEMARK_LIMIT_WAL_MB",
            "holds 11.0 GB of the source's log, more than 10.0 GB",
        ),
        (
            replace(RUNS, slot=replace(SLOT, safe_wal_size=1_000_000)),
            "max_slot_wal_keep_size",
            "is lost after another 1.0 MB",
        ),
        (replace(RUNS, slot=replace(SLOT, safe_wal_size=-5)), "max_slot_wal_keep_size", "is lost after another 0 B"),
        (
            replace(RUNS, slot=replace(SLOT, xmin_age=100_000_001)),
            "TIDEMARK_LIMIT_XMIN_AGE",
            "100,000,001 transactions ago from VACUUM",
        ),
        (
            replace(RUNS, stream={**RUNS.stream, "checkpoint_age_s": 301.0}),
            "TIDEMARK_LIMIT_CHECKPOINT_S",
            "landed nothing for 5 min, more than 300 s",
        ),
        (
            replace(RUNS, mark_age_s=3601.0),
            "TIDEMARK_LIMIT_MARK_S",
            "mark is 60 min old, more than 3600 s (TIDEMARK_LIMIT_MARK_S)",
        ),
    ],
    ids=["log", "nearly lost", "being lost", "xmin", "checkpoint", "mark"],
)
def test_each_limit_is_told_by_itself(seen: Seen, limit: str, words: str) -> None:
    [(name, told)] = beyond(seen, LIMITS).items()

    assert limit == name
    assert words in told


def test_of_one_that_is_stopped_only_what_it_costs_is_told() -> None:
    stopped = replace(RUNS, stream={"state": "stopped", "checkpoint_age_s": 9e9}, mark_age_s=9e9)

    assert {} == beyond(stopped, LIMITS)
    [told] = beyond(replace(stopped, slot=replace(SLOT, xmin_age=2**31)), LIMITS).values()
    assert "`tidemark start`, or give the slot up by `tidemark drop`" in told


def test_wrong_limits_are_told_all_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Limits.read({"TIDEMARK_LIMIT_WAL_MB": "10GB", "TIDEMARK_LIMIT_MARK_S": "0", "TIDEMARK_LIMIT_XMIN_AGE": "5"})

    assert [
        "TIDEMARK_LIMIT_WAL_MB is '10GB': write a whole number above 0",
        "TIDEMARK_LIMIT_MARK_S is '0': write a whole number above 0",
    ] == str(error.value).splitlines()
