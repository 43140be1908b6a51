"""A shop on this machine: TPC-H tables, a live load, and the mirror of both, proven."""
