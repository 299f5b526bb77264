"""The experiments behind ``results/``: each is a table of units of minutes, run by ``python -m experiments.run``."""
