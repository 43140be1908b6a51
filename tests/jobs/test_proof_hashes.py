"""The hashes of a proof, against their definition in `tidemark_source.hashes`."""

import hashlib

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

ROWS: list[list[str | None]] = [["1", "a"], ["", None], [None, None], ["~", "1:~"], ["€ \U0010ffff", "x" * 100_000], []]


def first_digits(text: str, digits: int) -> int:
    return int(hashlib.md5(text.encode()).hexdigest()[:digits], 16)


@pytest.mark.parametrize("generated", ["true", "false"], ids=["generated code", "interpreted"])
def test_rows_and_keys_are_hashed_as_the_source_hashes_them(spark: SparkSession, generated: str) -> None:
    session = spark.newSession()
    session.conf.set("spark.sql.codegen.wholeStage", generated)
    session.conf.set("spark.sql.codegen.factoryMode", "CODEGEN_ONLY" if generated == "true" else "NO_CODEGEN")
    rows = session.createDataFrame([(row,) for row in ROWS], "texts array<string>")
    hashed = rows.select(
        F.call_function("proof_row", "texts").alias("row"),
        F.call_function("proof_key", F.array_join("texts", "\t", "\\N")).alias("key"),
    )
    written = ["".join("~" if t is None else f"{len(t.encode())}:{t}" for t in row) for row in ROWS]
    keys = ["\t".join("\\N" if t is None else t for t in row) for row in ROWS]

    found = [(row["row"], row["key"]) for row in hashed.collect()]
    assert [(first_digits(row, 15), first_digits(key, 8)) for row, key in zip(written, keys, strict=True)] == found
