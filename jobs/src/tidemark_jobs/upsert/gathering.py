"""Small files grow together: every commit adds one, and every later commit would have to look into each of them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tidemark_jobs.upsert.data_files import DataFile
from tidemark_jobs.upsert.rows import Leaving, living, with_columns

SMALL = 1 << 20
"""Bytes of a file that is still small, whatever its rows hold: so all of them together are some 25 MB at most."""
MANY = 24
"""So many small files may stand; one more, and they become one."""


def crowded(files: Sequence[DataFile]) -> list[DataFile]:
    """Give the small files once they are too many."""
    small = [file for file in files if file.add["size"] < SMALL]
    return small if len(small) > MANY else []


def gathered(url: str, files: Sequence[DataFile], leaving: Sequence[Leaving], schema: pa.Schema) -> pa.Table:
    """Read the rows that stay of these files: the living ones that do not make way."""
    went = {part.file.path: part.positions for part in leaving}
    none = np.empty(0, np.int64)
    tables = [living(url, file, went.get(file.path, none)) for file in files]
    whole = (with_columns(rows, schema).select(schema.names).cast(schema) for rows in tables)
    return pa.concat_tables([schema.empty_table(), *whole])
