"""What is told of a job that failed; the traces are Flink's, shortened."""

import pytest

from tidemark_contract.errors import SourceChanged, SourceRefused, TidemarkError
from tidemark_streaming.jobs import cause
from tidemark_streaming.waiting import failure

_PERMANENT = """java.lang.RuntimeException: One or more fetchers have encountered exception
\tat org.apache.flink.connector.base.source.reader.SourceReaderBase.pollNext(SourceReaderBase.java:181)
Caused by: io.tidemark.flink.pgoutput.source.UnrecoverableSourceException: [SLOT_MISSING] no slot x (create it)
\tat io.tidemark.flink.pgoutput.source.reader.PgOutputSplitReader.fetch(PgOutputSplitReader.java:80)
Caused by: io.tidemark.flink.pgoutput.protocol.PermanentException: no slot x
"""
_OTHER = """org.apache.flink.util.FlinkException: Could not commit
\tat org.apache.flink.Some.where(Some.java:1)
Caused by: java.io.IOException: No space left on device
\tat java.base/java.io.FileOutputStream.write(FileOutputStream.java:1)
"""


def test_the_connectors_own_words_come_first() -> None:
    assert "[SLOT_MISSING] no slot x (create it)" == cause(_PERMANENT)


def test_of_other_failures_the_innermost_cause_is_told() -> None:
    assert "java.io.IOException: No space left on device" == cause(_OTHER)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("[SLOT_MISSING] …", SourceRefused),
        ("[ACCESS_DENIED] …", SourceRefused),
        ("[SYSTEM_CHANGED] …", SourceChanged),
        ("java.io.IOException: No space left on device", TidemarkError),
    ],
)
def test_a_reason_is_sorted_by_what_the_operator_does_next(reason: str, kind: type[TidemarkError]) -> None:
    assert kind is type(failure(reason))


def test_what_init_makes_is_told_with_that_command() -> None:
    assert "`tidemark init` creates it" in str(failure("[SLOT_MISSING] no slot x (create it)"))
    assert "tidemark init" not in str(failure("[ACCESS_DENIED] …"))
