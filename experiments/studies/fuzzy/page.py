"""results/fuzzy.md."""

from __future__ import annotations

from pathlib import Path

from experiments.common.known_series.time_series import GAS_FURNACE, MACKEY_GLASS
from experiments.rendering.searches import ALL, HOW, Measure, ResultRows, comparison, present, seeds_of, spread
from experiments.rendering.text import page, right
from experiments.studies.fuzzy.run import MODELS, NODES, SEARCH, STEPS, TABLES
from experiments.studies.fuzzy.series import SERIES
from search.folder.records import write_text

TITLE, COMMAND = "Fuzzy trees of types 1 and 2", "`python -m experiments.run studies/fuzzy`"
TEXT = """Written by `python -m experiments.render` from [fuzzy.csv](fuzzy.csv), made by {command}; {seeds}.

Hierarchical fuzzy trees after Ojha, Snášel and Abraham (HFIT): a node has two Gaussian sets for each of its two or
three inputs and linear rules, of type 1 or interval type 2 with the Karnik-Mendel reduction. The structure evolves by
our operators and hypervolume selection ({population} trees, {generations} generations, at most {nodes} nodes; error and
parameters), the parameters are trained by gradients, {steps} steps at the end. *neural*: the recommended neural tree of
a search; *neural_lowest*: the one with the lowest honest error among those with no more weights than the fuzzy tree of
type 1 has parameters. *linear*: least squares or logistic regression. Scores are R², or accuracy on wdbc. Seconds: CPU
seconds of the search and the refit. A fuzzy node of two inputs has 20 parameters at type 1 and 36 at type 2, and
divides or exponentiates four times: these trees are not for microcontrollers, and there is no export.

{how}."""
SERIES_TEXT = """## Series

Root mean squared errors on the test rows, medians [quartiles]. {mackey}: x(t - 18), x(t - 12), x(t - 6), x(t) predict
x(t + 6), tau = 17; of 1,000 rows from t = 118 on the first 500 are learned. {gas}: series J of Box and Jenkins; six gas
rates and four CO2 levels before predict the next level; the first 145 of 290 rows are learned. The splits are by time,
so seeds differ in the models' random numbers alone. *Published*: HFNT (Ojha, Abraham and Snášel 2017, table 13), the
best and the mean of 30 runs for Mackey-Glass, with 21 nodes; its rows, split and scale are not given, so the figures
are not directly comparable. Of its other series, waste water, we have no data. HFIT's own tables were not available to
us."""
PUBLISHED = {MACKEY_GLASS: ".00798 (.10568)"}
SCORE = Measure("test_score", "test score", 3)
MEASURES = (SCORE, Measure("params", "parameters", 0), Measure("nodes", "nodes", 0), Measure("fit_s", "seconds", 1))
BASE = "fuzzy_1"


def render(rows: ResultRows, results: Path) -> None:
    rows = _by_model(rows)
    text = TEXT.format(
        command=COMMAND,
        seeds=seeds_of(rows),
        population=SEARCH.population,
        generations=SEARCH.generations,
        nodes=NODES,
        steps=STEPS,
        how=HOW,
    )
    tables = (ALL, *present(TABLES, rows, "table"))
    parts = [comparison(rows, table, MODELS, BASE, MEASURES, SCORE) for table in tables]
    write_text(results / "fuzzy.md", page(TITLE, text, *parts, _series(rows)))


def headline(rows: ResultRows) -> str:
    rows = _by_model(rows)
    shown = comparison(rows, ALL, MODELS, BASE, MEASURES, SCORE)
    return f"## {TITLE}\n\n{COMMAND}; [fuzzy.md](fuzzy.md).\n\n{shown}"


def _by_model(rows: ResultRows) -> ResultRows:
    """The rows with their model as the job."""
    return [{**row, "job": row["model"]} for row in rows]


def _series(rows: ResultRows) -> str | None:
    tables = present(SERIES, rows, "table")
    if not tables:
        return None
    lines = []
    for table in tables:
        own = [row for row in rows if row["table"] == table]
        cells = [[float(row["test_rmse"]) for row in own if row["job"] == model] for model in MODELS]
        lines.append([table, *(spread(cell, 4) for cell in cells), PUBLISHED.get(table, "")])
    header = ["root mean squared error", *MODELS, "*published* best (mean)"]
    return f"{SERIES_TEXT.format(mackey=MACKEY_GLASS, gas=GAS_FURNACE)}\n\n{right(header, lines)}"
