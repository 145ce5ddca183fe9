"""HTTP: thin routes on the same functions as the command line."""
