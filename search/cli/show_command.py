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
    from search.objectives import held_to

    front = front_of(options.run)
    member = chosen_member(front, options)
    first, *others = front.objective_columns()
    wanted = dict.fromkeys((first, "honest_error_se", *others, "weights", "test_error", "test_score"))
    names = [name for name in wanted if any(name in each.values for each in front)]
    labels = {name: _label(name) for name in names} | {"honest_error_se": "±"}
    chosen = any(each.precision for each in front)
    table = Table("", "model", *["code"] * chosen, *(labels.get(name, name) for name in names))
    for each in front:
        cells = (f"{held_to(each.values, name):.4g}" if name in each.values else "" for name in names)
        code = [f"{each.precision} {each.style}"] * chosen
        table.add_row("→" if each is member else "", each.name, *code, *cells)
    out = Output()
    out.print(table)
    out.print(front.summary(), highlight=False, soft_wrap=True)
    how = "" if member is front.recommended() else f", {member.weights:.0f} weights, as asked for"
    out.print(f"→ {member.path}{how}", highlight=False, soft_wrap=True)
    return 0


def _label(name: str) -> str:
    from search.folder.columns import COLUMNS

    unit = name.rpartition("_")[2] if name.endswith(("_s", "_bytes", "_j")) else ""
    label = COLUMNS[name].label if name in COLUMNS else name
    return f"{label}, {unit.upper() if unit == 'j' else unit}" if unit else label


def add_run(made: argparse.ArgumentParser) -> None:
    made.add_argument("run", metavar="RUN", type=Path, help="the folder of a finished run")
