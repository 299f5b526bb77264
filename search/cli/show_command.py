"""``neuraltree show``: the front of a run in the terminal, and what speaks for its recommended model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.front import Front

EPILOG = """examples:
  neuraltree show results/penguins
  neuraltree show results/penguins --rule knee --weights 20

The arrow marks the chosen model; give its path, printed below the table, to neuraltree export and hardware.

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
        cells = (_cell(held_to(each.values, name), name) if name in each.values else "" for name in names)
        code = [f"{each.precision} {each.style}"] * chosen
        table.add_row("→" if each is member else "", each.name, *code, *cells)
    table.caption = _word_on_costs(front, names)
    out = Output()
    out.print(table)
    out.print(front.summary(), highlight=False, soft_wrap=True)
    how = "" if member is front.recommended() else f", {member.weights:.0f} weights, as asked for"
    out.print(f"→ {member.path}{how}", highlight=False, soft_wrap=True)
    return 0


def _word_on_costs(front: Front, names: Sequence[str]) -> str | None:
    """Which of the costs shown were measured, if any were; that of a mean over rows never is."""
    known = [name for name in names if name.endswith(tuple(UNITS))]
    measured = [name for name in known if any(f"measured_{name}" in each.values for each in front)]
    if not measured:
        return None
    predicted = [_label(name).partition(",")[0] for name in known if name not in measured]
    rest = f"; predicted: {', '.join(predicted)}" if predicted else ""
    return f"costs are those measured on the emulated core{rest}"


# For the end of a column's name: the factor by which its values are multiplied for display, and the unit.
UNITS = {"_s": (1e6, "µs"), "_bytes": (1.0, "bytes"), "_j": (1e6, "µJ")}


def _unit(name: str) -> tuple[float, str]:
    return next((row for end, row in UNITS.items() if name.endswith(end)), (1.0, ""))


def _cell(value: float, name: str) -> str:
    return f"{value * _unit(name)[0]:.4g}"


def _label(name: str) -> str:
    from search.folder.columns import COLUMNS

    label, unit = COLUMNS[name].label if name in COLUMNS else name, _unit(name)[1]
    return f"{label}, {unit}" if unit else label


def add_run(made: argparse.ArgumentParser) -> None:
    made.add_argument("run", metavar="RUN", type=Path, help="the folder of a finished run")
