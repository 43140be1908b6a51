"""How a mirror is: what its tables stand at, how far behind they are, and since when that is proven."""
