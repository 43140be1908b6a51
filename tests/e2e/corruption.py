"""One wrong cell in a silver table: a data file in the place of one that differs from it in one value."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.upsert import deletion_vectors
from tidemark_jobs.upsert.commit import removed
from tidemark_jobs.upsert.data_files import DataFile, active_files

# What is written for people to look into, and no reader of rows takes for data.
NO_DATA = ("_mark", "_commit_lsn")


@dataclass(frozen=True)
class Corruption:
    """A cell that is wrong: the row's `_key` as it is stored, the column, and the two values."""

    table: TableSpec
    key: str
    column: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.table.table} {self.column} at {self.key!r}: {self.before!r} → {self.after!r}"

    @property
    def names(self) -> set[str]:
        """The columns as one of which a proof may name it; of `_exact` those whose texts it has."""
        if self.column == "_exact":
            return {self.column, *dict(self.before or []), *dict(self.after or [])}
        source = {silver: name for name, silver in self.table.silver_names.items()}
        return {source.get(self.column, self.column)}


@contextmanager
def corrupted(chance: random.Random, url: str, spec: TableSpec) -> Iterator[Corruption]:
    """Change one cell of one living row at random, for the length of a block."""
    version = open_table(url).version()
    file, position = chance.choice(list(_rows(url, version)))
    folder = Path(url.removeprefix("file://"))
    rows = pq.ParquetFile(folder / file.path).read()
    column = chance.choice([name for name in rows.column_names if name not in NO_DATA])
    values = rows[column].to_pylist()
    before, type_ = values[position], rows.schema.field(column).type
    values[position] = after = _other(chance, type_, before)
    changed = rows.set_column(rows.column_names.index(column), pa.field(column, type_), pa.array(values, type_))
    name = f"wrong-{version}.parquet"
    pq.write_table(changed, folder / name, compression="zstd")
    wrong = DataFile(file.add | {"path": name, "size": (folder / name).stat().st_size})
    _replace(url, version + 1, file, wrong)
    try:
        yield Corruption(spec, rows["_key"][position].as_py(), column, before, after)
    finally:
        _replace(url, version + 2, wrong, file)


def _replace(url: str, version: int, old: DataFile, new: DataFile) -> None:
    """In a commit that says that it changes no row, as OPTIMIZE's does: nobody is to be warned by it."""
    silver.write_entry(url, version, "OPTIMIZE", [removed(old), {"add": new.add}])


def _rows(url: str, version: int) -> Iterator[tuple[DataFile, int]]:
    for file in active_files(url, version):
        deleted = deletion_vectors.read(url, file.deletion_vector)
        for position in range(int(file.statistics["numRecords"])):
            if position not in deleted:
                yield file, position


def _other(chance: random.Random, type_: pa.DataType, value: Any) -> Any:
    """The least that can be wrong: a bit, a letter, the last digit, a NULL."""
    if value is not None and chance.random() < 0.2:
        return None
    if pa.types.is_map(type_):
        return _other_map(chance, value)
    if pa.types.is_boolean(type_):
        return not value
    if pa.types.is_integer(type_):
        return 7 if value is None else value ^ (1 << chance.randrange(type_.bit_width - 1))
    if pa.types.is_floating(type_):
        return _other_float(chance, type_, value)
    if pa.types.is_decimal(type_):
        unit = Decimal(1).scaleb(-type_.scale)
        with localcontext(prec=100):  # with 28 digits, the usual number, another last one may be the same
            return unit if value is None else value - unit if value > 0 else value + unit
    if pa.types.is_date(type_):
        return date(2026, 1, 1) if value is None else value + timedelta(1 if value < date(2000, 1, 1) else -1)
    if pa.types.is_timestamp(type_):
        return _other_time(type_, value)
    if pa.types.is_binary(type_):
        return b"\0" if not value else bytes([value[0] ^ 1]) + value[1:]
    return _other_text(chance, value)


def _other_map(chance: random.Random, value: list[tuple[str, str]] | None) -> list[tuple[str, str]]:
    if not value:
        return [("no column", "x")]
    at = chance.randrange(len(value))
    return [(name, text + "0" if n == at else text) for n, (name, text) in enumerate(value)]


def _other_float(chance: random.Random, type_: pa.DataType, value: float | None) -> float:
    kind = np.float64 if type_.bit_width == 64 else np.float32
    if value is None or not np.isfinite(value):
        return 1.5
    return float(-kind(value)) if chance.random() < 0.3 else float(np.nextafter(kind(value), kind(np.inf)))


def _other_time(type_: pa.DataType, value: datetime | None) -> datetime:
    if value is None:
        return datetime(2026, 1, 1, tzinfo=UTC if type_.tz else None)
    step = timedelta(microseconds=1)
    return value + step if value.year < 2000 else value - step


def _other_text(chance: random.Random, value: str | None) -> str:
    if not value:
        return "x"
    at = chance.randrange(len(value))
    return value[:at] + ("y" if value[at] != "y" else "z") + value[at + 1 :]
