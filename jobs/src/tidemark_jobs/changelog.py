"""The columns of bronze: one row per change, as the stream lands it."""

import pyarrow as pa

_TEXTS = pa.map_(pa.string(), pa.string())

CHANGES = pa.schema(
    [
        ("system_id", pa.string()),
        ("timeline", pa.int32()),
        ("commit_lsn", pa.int64()),
        ("ordinal", pa.int64()),  # in the transaction; (commit_lsn, ordinal) orders all changes
        ("xid", pa.int64()),  # 32 bits, top level
        ("commit_ts", pa.int64()),  # microseconds since 1970
        ("op", pa.string()),  # c insert, u update, d delete, t truncate, s schema of a relation
        ("schema_name", pa.string()),
        ("table_name", pa.string()),
        ("relation_id", pa.int64()),
        ("before", _TEXTS),  # old key, or the old row under REPLICA IDENTITY FULL
        ("after", _TEXTS),  # the new row, without unchanged TOAST columns
        ("unchanged", pa.list_(pa.string())),  # names of those columns
        ("protection", pa.string()),  # how its table's columns are protected; NULL where none is
    ]
)
