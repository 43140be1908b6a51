"""Run what tidemark needs on this machine, without Docker."""
