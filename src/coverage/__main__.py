"""`python -m coverage` is the command line."""

from coverage.cli import main

main()
