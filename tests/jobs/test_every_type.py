"""A table with every kind of silver value, through both ways of writing."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.jobs.lake import Event, Lake, delete, insert, mark, relation, updated
from tests.variants import any_of
from tidemark_contract.names import TableName
from tidemark_contract.specs import ColumnSpec, SourceSpec, TableSpec
from tidemark_contract.types import Codec

VALUES = {
    "bigint": ("1", "9223372036854775807", "-9223372036854775808"),
    "numeric(12,2)": ("1.50", "NaN", "-9999999999.99"),
    "double precision": ("1.5", "Infinity", "-0"),
    "real": ("1.5", "NaN", "1e-45"),
    "boolean": ("t", "f", "t"),
    "bytea": ("\\x00ff", "\\x", "\\xde"),
    "date": ("2026-01-01", "infinity", "0001-01-01"),
    "timestamp without time zone": ("2026-01-01 10:00:00", "2026-01-01 10:00:00.000001", "0044-03-15 12:00:00 BC"),
    "timestamp with time zone": ("2026-01-01 10:00:00+00", "infinity", "9999-12-31 23:59:59.999999+00"),
    "text": ("one", "", "\t\\"),
}
SPEC = TableSpec(TableName("public", "typed"), tuple(ColumnSpec(type_, type_) for type_ in VALUES), key=("bigint",))
OID = 20_001


def row(number: int) -> dict[str, str | None]:
    return {type_: texts[number] for type_, texts in VALUES.items()}


def named(event: Event) -> Event:
    return replace(event, oid=OID)


def line(number: int) -> str:
    """COPY's text, of which backslashes and tabs are escaped."""
    texts = (texts[number].replace("\\", "\\\\").replace("\t", "\\t") for texts in VALUES.values())
    return "\t".join(texts)


def test_the_values_cover_every_codec() -> None:
    assert set(Codec) == {column.silver.codec for column in SPEC.columns}


@any_of("small", [True, False])
def test_its_rows_come_change_and_go(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    if not small:
        monkeypatch.setattr("tidemark_jobs.folding.is_small", lambda _: False)
    lake = Lake(spark, tmp_path, SourceSpec("shop", (SPEC,)))
    facts = [relation(SPEC, oid=OID)]
    lake.copied(1, typed=[tuple(row(0).values())])
    lake.land(mark(1, 100, kind="copy", catalog=facts)).sync()

    come = insert(SPEC, 101, **row(1)), insert(SPEC, 101, **row(2))
    lake.land(*map(named, come), mark(2, 110, catalog=facts)).sync()
    assert sorted(map(line, range(3))) == sorted(lake.lines(SPEC, by_spark=True))

    changed = updated(SPEC, 111, row(0) | {"bigint": row(1)["bigint"]}), delete(SPEC, 111, bigint=row(2)["bigint"])
    lake.land(*map(named, changed), mark(3, 120, catalog=facts)).sync()
    assert sorted([line(0), line(0).replace("1\t", f"{row(1)['bigint']}\t", 1)]) == sorted(
        lake.lines(SPEC, by_spark=True)
    )
