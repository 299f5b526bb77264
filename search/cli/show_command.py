"""``neuraltree show``: the front of a run in the terminal, and what speaks for its recommended model."""

from __future__ import annotations

import argparse
from pathlib import Path

EPILOG = """examples:
  neuraltree show results/penguins
  neuraltree show results/penguins --rule knee --weights 20

exit codes: 0 done, 2 bad input"""


def show(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from rich.table import Table

    from neuraltree.cli.console import Output
    from search.cli.chosen import chosen_member, front_of
    from search.folder.columns import COLUMNS

    front = front_of(options.run)
    member = chosen_member(front, options)
    wanted = dict.fromkeys((*front.objective_columns(), "honest_error_se", "weights", "test_error", "test_score"))
    names = [name for name in wanted if any(name in each.values for each in front)]
    labels = {name: column.label for name, column in COLUMNS.items()} | {"honest_error_se": "±"}
    table = Table("", "model", *(labels.get(name, name) for name in names))
    for each in front:
        cells = (f"{each.values[name]:.4g}" if name in each.values else "" for name in names)
        table.add_row("→" if each is member else "", each.name, *cells)
    out = Output()
    out.print(table)
    out.print(front.summary(), highlight=False, soft_wrap=True)
    out.print(f"→ {member.path}", highlight=False, soft_wrap=True)
    return 0


def add_run(made: argparse.ArgumentParser) -> None:
    made.add_argument("run", metavar="RUN", type=Path, help="the folder of a finished run")
