"""Drive tidemark from a terminal."""
