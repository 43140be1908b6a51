"""How fast, against what a user would take instead: ratios of one run, with correctness checked. `make bench`."""
