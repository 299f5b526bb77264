"""``neuraltree inspect``: what is in a table or in recordings, what is wrong, and a config to start from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuraltree.cli.console import NARROWEST
from search.cli.table_source import source_of
from search.run import add_overrides

if TYPE_CHECKING:
    from rich.table import Table

    from search.table.inspection import ColumnFacts

EPILOG = """examples:
  neuraltree inspect penguins.csv
  neuraltree inspect penguins.csv --target species > penguins.toml && neuraltree run penguins.toml
  neuraltree inspect prices.csv --set data.thousands=.
  neuraltree inspect recordings/
  neuraltree inspect walking.csv --signal --set signal.rate_hz=50

The config goes to standard output, the rest to standard error.

exit codes: 0 done, 2 bad input"""


def add_options(made: argparse.ArgumentParser) -> None:
    table = "a CSV file, another source that data.source can name, or recordings: a folder, a .zip or .npz file"
    made.add_argument("table", metavar="TABLE", help=table)
    made.add_argument("--target", metavar="COLUMN", default="", help="the column to predict; by default the last one")
    made.add_argument("--signal", action="store_true", help="TABLE is a folder or file of labelled recordings")
    add_overrides(made)


def inspect(options: argparse.Namespace) -> int:
    """Returns the exit code: that of bad input if no search could begin."""
    from rich.console import Console
    from rich.markup import escape

    from neuraltree.cli.command import BAD_INPUT, DONE, plain
    from search.cli.signals.inspect_recordings import are_recordings, inspect_recordings
    from search.config.config import config_from
    from search.table.inspection import config_text
    from search.table.inspection import inspect as inspected

    console = Console(stderr=True, width=None if sys.stderr.isatty() else NARROWEST, no_color=plain(sys.stderr))
    if options.signal or are_recordings(options.table):
        if options.target:
            raise ValueError("--target names a column of a table; recordings have labels")
        print(inspect_recordings(options.table, options.overrides, console), end="")
        return DONE
    source = source_of(options.table)
    asked = {"data": {"source": source, "target": options.target}}
    found = inspected(source, config_from(asked, options.overrides, "neuraltree inspect").data)
    if found.columns:
        console.print(f"{escape(options.table)}: {found.rows} rows, {found.task or 'no search can begin'}")
        console.print(_table(found.columns))
    for line in found.notes:
        console.print(f"note: {escape(line)}", highlight=False, soft_wrap=True)
    for line in found.problems:
        console.print(f"error: {escape(line)}", highlight=False, soft_wrap=True)
    if found.problems:
        return BAD_INPUT
    print(config_text(found), end="")
    return DONE


def _table(columns: Sequence[ColumnFacts]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    made = Table("column", "kind", "missing", "different", "from", "to", "commonest")
    for each in columns:
        name = each.name if each.role == "feature" else f"{each.name} ({each.role})"
        commonest = ", ".join(f"{level} ({count})" for level, count in each.commonest)
        counts = str(each.holes or ""), str(each.distinct)
        made.add_row(*map(escape, (name, each.kind, *counts, each.smallest, each.largest, commonest)))
    return made
