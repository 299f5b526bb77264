"""docs/tables.md: the names that configs, options and Python code may use, from the tables in the code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from neuraltree.activations import ACTIVATIONS, ALIASES
from neuraltree.cli.markdown import code, page, table
from neuraltree.compress.pruning.criteria import CRITERIA
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES
from neuraltree.export.targets import FORMATS
from neuraltree.hardware.profile.device_list import CAPTION, COLUMNS, device_rows
from neuraltree.hardware.profile.places import ALIASES as DEVICE_ALIASES
from neuraltree.updating.selection import SELECTORS
from search.baselines.baseline_table import BASELINES
from search.baselines.teacher_table import BY_NAME as TEACHERS
from search.objectives import OBJECTIVES
from search.selection.survivors import METHODS
from search.table.files.sources import BUNDLED
from search.variation.operators import OPERATORS
from tools.docs import signal_tables
from tools.docs.notes import SOURCE_NOTES

SOURCES = {
    "metric": "Errors on validation rows",
    "bound": "Proved bounds of errors",
    "count": "Counts of the tree",
    "cost": "Costs on a device",
}
TASKS = {"both": "all", "regression": "regression", "classes": "classification", "two classes": "two classes"}
ABOUT_OBJECTIVES = (
    "All objectives are minimised. The first error named in `search.objectives` is the column `val_error` of "
    "`front.csv`; each further one has a column of its own.",
    "A score, such as `f1_macro`, counts as 1 - score. Its bound in `constraints`, its value in `reference` and its "
    "column, `one_minus_f1_macro`, are values of 1 - score. The second of two classes is `task.positive`, or else the "
    "later one in sorted order. A score that the rows leave undefined is 0, such as the F1 of a class that is neither "
    "true nor predicted; the ROC AUC is 0.5 then. Means over classes leave such classes out.",
    "If a name ends in `_LEVEL`, a number between 0 and 1 takes its place: `recall_at_precision_0.5`, `pinball_0.95`. "
    'As a key in TOML such a name needs quotes: `"pinball_0.95" = 2.0`.',
)


def tables() -> str:
    return page(
        "Names",
        "The names that keys of a config ([configuration.md](configuration.md)) and options of commands accept.",
        *("## Data: `data.source`", data_sources()),
        *("## Features of windows", *signal_tables.features()),
        *("## Filters", *signal_tables.filters()),
        *("## Objectives: `search.objectives`, `constraints`", *objectives()),
        *("## Activations: `space.activations`", activations()),
        *("## Variation operators: `[variation]`", operators()),
        *("## Selection: `search.selection`", described(METHODS, "method")),
        *("## Optimisers: `train.optimizer`", described(OPTIMIZERS, "optimiser")),
        *("## Learning-rate schedules: `train.schedule`", described(SCHEDULES, "schedule")),
        *("## Teachers: `train.teachers`, `--teachers`", described(TEACHERS, "teacher")),
        *("## Baselines: `baselines.models`", baselines()),
        *("## Criteria of pruning: `neuraltree compress --criterion`", criteria()),
        *("## Selectors of trained nodes: `neuraltree export --to c-train --select`", selectors()),
        *("## Export formats: `python -m neuraltree.export --to`", formats()),
        *("## Devices: `hardware.device`, `--device`", *devices()),
    )


def described(rows: Mapping[str, Any], heading: str) -> str:
    """A row for each name, with the ``doc`` of its row in the code."""
    return noted(rows, {name: row.doc for name, row in rows.items() if row.doc}, heading)


def noted(names: Iterable[str], notes: dict[str, str], heading: str) -> str:
    """A row for each name; ``ValueError`` if a name has no note, or a note no name."""
    known = list(names)
    if set(known) != set(notes):
        raise ValueError(f"{heading}: write a note for each of {known}, and for nothing else")
    return table((heading, "what it is"), [(code(name), notes[name]) for name in known])


def data_sources() -> str:
    bundled = ", ".join(map(code, BUNDLED))
    return table(("source", "what it is"), [(bundled, SOURCE_NOTES[0]), *SOURCE_NOTES[1:]])


def objectives() -> list[str]:
    """A table for each source of objectives."""
    parts = list(ABOUT_OBJECTIVES)
    for source, title in SOURCES.items():
        rows = [
            (code(f"{row.name}_LEVEL" if row.level else row.name), row.doc, row.unit, TASKS[row.tasks])
            for row in OBJECTIVES
            if row.source == source
        ]
        parts += [f"**{title}**", table(("name", "what it is", "unit", "tasks"), rows)]
    return parts


def activations() -> str:
    others = {name: [alias for alias, meant in ALIASES.items() if meant == name] for name in ALIASES.values()}
    rows = [
        (code(row.name), code(row.c_text), f"{row.bounds[0]} to {row.bounds[1]}", ", ".join(others.get(row.name, ())))
        for row in ACTIVATIONS
    ]
    return table(("name", "value for a sum s, in C", "range", "also called"), rows)


def operators() -> str:
    rows = [(code(row.name), row.doc, str(row.parents), f"{row.default_probability:.2f}") for row in OPERATORS]
    return table(("operator", "what it does", "parents", "default probability"), rows)


def criteria() -> str:
    rows = [(code(name), row.help, row.unit) for name, row in CRITERIA.items()]
    return table(("criterion", "what ranks the cuts", "what is cut at once"), rows)


def baselines() -> str:
    """A row for each baseline; a baseline in several sizes has a row of ``baselines.csv`` for each."""
    rows = [(code(row.name), row.label, ", ".join(map(code, row.names.values()))) for row in BASELINES]
    return table(("name", "model", "names in baselines.csv"), rows)


def selectors() -> str:
    rows = [(code(name), row.help, "yes" if row.needs_rows else "no") for name, row in SELECTORS.items()]
    return table(("selector", "which nodes come first", "needs rows"), rows)


def formats() -> str:
    rows = [
        (
            code(name),
            row.help,
            ", ".join(map(code, row.suffixes)) or "folder",
            ", ".join(f"`--{o.replace('_', '-')}`" for o in row.options),
        )
        for name, row in FORMATS.items()
    ]
    return table(("format", "what it is", "`--out`", "options"), rows)


def devices() -> list[str]:
    rows = [[code(name), *(cell.replace("\n", "; ") for cell in cells)] for name, *cells in device_rows()]
    aliases = ", ".join(f"{code(alias)} is {name}" for alias, name in sorted(DEVICE_ALIASES.items()))
    return [
        table(COLUMNS, rows),
        f"{CAPTION}. [hardware.md](hardware.md) explains how devices are costed and how to add one.",
        f"Other names: {aliases}.",
    ]
