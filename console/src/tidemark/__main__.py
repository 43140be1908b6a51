"""Let `python -m tidemark` be the command."""

from tidemark.main import main

main()
