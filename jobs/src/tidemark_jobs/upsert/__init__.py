"""Few changed rows into a Delta table, from Arrow and in one commit, without a Spark job.

Delta's own MERGE costs 2 to 3 CPU-s a table however few rows there are; this costs some hundredths. It writes what
MERGE writes: deletion vectors for the rows that go, one small file for those that come. Large changes stay with MERGE.
"""
