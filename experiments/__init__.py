"""The experiments behind ``results/``: each is a table of units that take minutes; see ``experiments.run``."""
