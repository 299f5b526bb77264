"""``neuraltree inspect``: what is in a table, what is wrong with it, and a config to start from."""

from __future__ import annotations

import argparse

EPILOG = """examples:
  neuraltree inspect penguins.csv
  neuraltree inspect penguins.csv --target species > penguins.toml && neuraltree run penguins.toml

The config goes to standard output, the rest to standard error.

exit codes: 0 done, 2 bad input"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("table", metavar="TABLE", help="a CSV file, or another source that data.source can name")
    made.add_argument("--target", metavar="COLUMN", default="", help="the column to predict; by default the last one")


def inspect(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    raise NotImplementedError
