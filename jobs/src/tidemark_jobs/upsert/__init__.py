"""Changed rows into a Delta table, in one commit: new files for those that come, deletion vectors for those that go.

Delta's own MERGE costs 2 to 3 CPU-s a table however few rows there are, and twice this for many: docs/adr/0004.
"""
