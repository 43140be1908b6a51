"""Random tables, writes, schema changes and faults, against the one oracle: the lake is the source, byte for byte."""
