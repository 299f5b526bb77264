"""``multi_output.md`` and ``multi_output.png``: the table of hypervolumes, and the other sections of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from experiments.common.paper_tables import CLASSIFICATION
from experiments.rendering.searches import (
    ALL,
    Measure,
    ResultRows,
    by_seed,
    differences,
    gains,
    names,
    seeds_of,
    spread,
)
from experiments.rendering.text import figure, page, right
from experiments.studies.multi_output import class_rates, ensembles_section, errors_section
from experiments.studies.multi_output.published_sources import MONT, MONT_MEANS
from experiments.studies.multi_output.run import METHODS
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Multi-output trees, ensembles, per-class objectives", "`python -m experiments.run multi_output`"
ABOUT = f"Written by `python -m experiments.render` from [multi_output.csv](multi_output.csv), made by {COMMAND}."
BASE, VOLUME = "nsga2", Measure("population_hypervolume", "hypervolume, %", 2)
OTHERS = (
    Measure("hypervolume", "hypervolume of all trees trained", 2),
    Measure("test_volume", "volume of fronts on test rows", 2),
    Measure("trees", "trees trained", 0),
    Measure("members", "members of the front", 0),
)
TEXT = """## Hypervolume on nine classification tables

Hypervolume indicator in % of the last population, for the objectives error and nodes: medians and, in brackets,
quartiles of {seeds}. *Published*: MONT, WCCI 2020. The two are not directly comparable. Our errors come from validation
rows in four folds, and our weights are trained. Our reference point is fixed for each table: the error of the best
constant, and one node more than a tree can have. The published reference point is the worst corner of its points. "gp"
minimises the error alone. All four methods have the same budget of weight·samples and end with the last whole
generation within it; the trees of gp are larger, so it trains fewer. "Fronts on test rows": for each size, the test
error of the member with the lowest validation error among those no larger. p: Wilcoxon's signed-rank test, Holm's
correction."""


def render(rows: ResultRows, results: Path) -> None:
    errors = errors_section.section(_fronts(rows))
    parts = [*_volumes(rows), *errors, *ensembles_section.section(rows), *class_rates.section(rows)]
    write_text(results / "multi_output.md", page(TITLE, ABOUT, *parts))
    save(class_rates.picture(rows), results / "multi_output.png")


def headline(rows: ResultRows) -> str:
    text = (
        f"Hypervolume in % of the last population on validation rows, objectives error and nodes; plain genetic "
        f"programming (gp) minimises the error alone, so it ends with few sizes. {COMMAND}, {seeds_of(rows)} per "
        "table; [multi_output.md](multi_output.md) adds the published hypervolumes."
    )
    return f"## {TITLE}\n\n{text}\n\n{gains(_fronts(rows), list(METHODS), BASE, VOLUME)}"


def _fronts(rows: ResultRows) -> ResultRows:
    return [row for row in rows if row["job"] in METHODS]


def _volumes(rows: ResultRows) -> list[str]:
    fronts = _fronts(rows)
    if not fronts:
        return []
    tables = [name for name in CLASSIFICATION if name in names(fronts, "table")]
    blank = [""] * len(MONT_MEANS)
    body = [[table, *_cells(fronts, table, VOLUME.column), *_published(MONT[table])] for table in tables]
    body.append([ALL, *_cells(fronts, ALL, VOLUME.column), *_published(MONT_MEANS)])
    found = differences(fronts, ALL, list(METHODS), BASE, VOLUME)
    body.append([f"p against {BASE}", *(figure(found[job].p) if job in found else "" for job in METHODS), *blank])
    body += [[f"{ALL}, {m.label}", *_cells(fronts, ALL, m.column, m.digits), *blank] for m in OTHERS]
    header = ["", *METHODS, *(f"*published* {job}" for job in MONT_MEANS)]
    return [TEXT.format(seeds=seeds_of(fronts)), right(header, body)]


def _cells(rows: ResultRows, table: str, column: str, digits: int = 2) -> list[str]:
    found = [by_seed(rows, table, job, column).values() for job in METHODS]
    return [spread(values, digits) if values else "" for values in found]


def _published(by_method: Mapping[str, float]) -> list[str]:
    return [figure(value, 2) for value in by_method.values()]
