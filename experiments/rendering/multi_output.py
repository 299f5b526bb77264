"""``multi_output.md`` and ``multi_output.png``: the sources' table of hypervolumes, and the pages' other sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.data import CLASSIFICATION
from experiments.multi_output import METHODS
from experiments.rendering import class_rates, ensembles
from experiments.rendering.searches import ALL, Rows, by_seed, differences, names, seeds_of, spread
from experiments.rendering.sources import MONT, MONT_MEANS
from experiments.rendering.text import NONE, figure, page, right
from search.pictures.files import save
from search.records import write_text

TITLE, COMMAND = "Multi-output trees, ensembles, per-class objectives", "`python -m experiments.run multi_output`"
ABOUT = f"Written by `python -m experiments.render` from [multi_output.csv](multi_output.csv), made by {COMMAND}."
BASE, VOLUME = "nsga2", "population_hypervolume"
OTHERS = {"hypervolume": "all trees trained", "test_hypervolume": "fronts on test rows"}
TEXT = """## Hypervolume on nine classification tables

Hypervolume indicator in %, objectives error and nodes, of the last population: medians and, in brackets, quartiles
of {seeds}. *Published*: MONT, WCCI 2020. They are not like for like: our errors are those of validation rows in four
folds, our weights are trained, and our reference point is fixed for each table at the error of the best constant and
one node more than a tree can have, while the published one is the worst corner of its points. "gp" minimises the
error alone. All four methods spend the same weight·samples. p: Wilcoxon's signed-rank test, Holm's correction."""


def render(rows: Rows, results: Path) -> None:
    parts = [*_volumes(rows), *ensembles.section(rows), *class_rates.section(rows)]
    write_text(results / "multi_output.md", page(TITLE, ABOUT, *parts))
    save(class_rates.picture(rows), results / "multi_output.png")


def headline(rows: Rows) -> str:
    fronts = _fronts(rows)
    found = {job: list(by_seed(fronts, ALL, job, VOLUME).values()) for job in METHODS}
    means = ", ".join(f"{job} {figure(float(np.mean(values)), 2)}" for job, values in found.items() if values)
    difference = differences(fronts, ALL, list(METHODS), BASE, VOLUME).get("hypervolume")
    text = (
        f"Hypervolume indicator in %, {ALL}: {means} (hypervolume against {BASE}: p "
        f"{figure(difference.p) if difference else NONE}); {COMMAND}, [multi_output.md](multi_output.md)."
    )
    return f"## {TITLE}\n\n{text}"


def _fronts(rows: Rows) -> Rows:
    return [row for row in rows if row["job"] in METHODS]


def _volumes(rows: Rows) -> list[str]:
    fronts = _fronts(rows)
    if not fronts:
        return []
    tables = [name for name in CLASSIFICATION if name in names(fronts, "table")]
    blank = [""] * len(MONT_MEANS)
    body = [[table, *_cells(fronts, table, VOLUME), *_published(MONT[table])] for table in tables]
    body.append([ALL, *_cells(fronts, ALL, VOLUME), *_published(MONT_MEANS)])
    found = differences(fronts, ALL, list(METHODS), BASE, VOLUME)
    body.append([f"its p against {BASE}", *(figure(found[job].p) if job in found else "" for job in METHODS), *blank])
    body += [[f"{ALL}, {what}", *_cells(fronts, ALL, column), *blank] for column, what in OTHERS.items()]
    header = ["", *METHODS, *(f"*published* {job}" for job in MONT_MEANS)]
    return [TEXT.format(seeds=seeds_of(fronts)), right(header, body)]


def _cells(rows: Rows, table: str, column: str) -> list[str]:
    found = [by_seed(rows, table, job, column).values() for job in METHODS]
    return [spread(values, 2) if values else "" for values in found]


def _published(by_method: Mapping[str, float]) -> list[str]:
    return [figure(value, 2) for value in by_method.values()]
