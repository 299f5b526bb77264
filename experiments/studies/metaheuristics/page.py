"""results/metaheuristics.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.rendering.searches import (
    ALL,
    HOW,
    Measure,
    ResultRows,
    by_seed,
    comparison,
    names,
    present,
    seeds_of,
    spread,
)
from experiments.rendering.text import figure, page, right
from experiments.studies.metaheuristics.minimisers import MINIMISERS
from experiments.studies.metaheuristics.run import (
    EVALUATIONS,
    FUZZY,
    FUZZY_TABLES,
    GRADIENTS,
    LONGER,
    NEURAL,
    SAME_SECONDS,
    TABLES,
)
from search.folder.records import write_text

TITLE, COMMAND = "Weights by metaheuristics", "`python -m experiments.run studies/metaheuristics`"
TEXT = """Written by `python -m experiments.render` from [metaheuristics.csv](metaheuristics.csv), made by {command};
{seeds}, one random structure each.

MONT and HFNT find weights by metaheuristics. Here each method minimises the mean squared error of the same structure on
the training rows, from uniform vectors within its bounds; test rows are scored once, at the end. {minimisers}.
Differential evolution is SciPy's, the swarm pymoo's. *gradients*: the engine's Adam, from one such vector; a pass over
the training rows counts as one evaluation. "[.1, 1]" are MONT's bounds, which leave no negative weights. Methods are
named with their bounds and the number of evaluations: {evaluations:,} is MONT's budget of 50 iterations of 20, and
{longer:,} five times as much. MONT minimises the error rate of classes: *de_error_rate*
does so too, on the tables of classes, and all others minimise the squared error.

{how}."""
SECTION = {
    NEURAL: """## Neural trees

Random trees as MONT makes them: sigmoid nodes and outputs, arity 2 to 4, inputs within 0 and 1.""",
    "fuzzy_1": """## Fuzzy trees of type 1

Random fuzzy trees of at most 12 nodes, with the bounds of their parameters. All methods start from uniform vectors,
which is a worse start than the one that training usually has.""",
    "fuzzy_2": "## Fuzzy trees of interval type 2",
}
TIMES = """{passes:,} passes of gradients take {share} of the CPU time of {evaluations:,} evaluations by *{method}*,
which evaluates a generation at once (median over tables and hold-outs)."""
DE = "de"  # the method whose CPU time is that of others
SCORE, LOSS = Measure("test_score", "test score", 3), Measure("train_loss", "training loss", 4)
MEASURES = (LOSS, SCORE, Measure("fit_s", "CPU seconds", 3))


def render(rows: ResultRows, results: Path) -> None:
    minimisers = "; ".join(f"*{name}*: {each.doc}" for name, each in MINIMISERS.items())
    text = TEXT.format(
        command=COMMAND,
        seeds=seeds_of(rows),
        minimisers=minimisers,
        evaluations=EVALUATIONS,
        longer=LONGER,
        how=HOW,
    )
    parts = [_section(rows, model) for model in (NEURAL, *FUZZY)]
    write_text(results / "metaheuristics.md", page(TITLE, text, *parts))


def headline(rows: ResultRows) -> str:
    own = _by_method(rows, NEURAL)
    shown = comparison(own, ALL, _first(own), _base(own), MEASURES, SCORE) if own else ""
    return f"## {TITLE}\n\n{COMMAND}; [metaheuristics.md](metaheuristics.md).\n\n{shown}"


def _section(rows: ResultRows, model: str) -> str | None:
    own = _by_method(rows, model)
    if not own:
        return None
    tables = present(TABLES if model == NEURAL else FUZZY_TABLES, own, "table")
    means = comparison(own, ALL, names(own, "job"), _base(own), MEASURES, SCORE)
    lines = [
        [method, *(spread(scores, 3) if (scores := _scores(own, table, method)) else "" for table in tables)]
        for method in names(own, "job")
    ]
    parts = (SECTION[model], _times(own, model), means, "Test scores by table:", right(["", *tables], lines))
    return "\n\n".join(part for part in parts if part)


def _scores(rows: ResultRows, table: str, method: str) -> list[float]:
    return list(by_seed(rows, table, method, SCORE.column).values())


def _times(rows: ResultRows, model: str) -> str | None:
    """The CPU time of the passes that were meant to take as long as differential evolution, beside its time."""
    passes = SAME_SECONDS[model]
    taken, wanted = _seconds(rows, GRADIENTS, passes), _seconds(rows, DE, EVALUATIONS)
    shared = sorted(set(taken) & set(wanted))
    if not shared:
        return None
    share = float(np.median([taken[key] / wanted[key] for key in shared]))
    return TIMES.format(passes=passes, share=figure(share, 2), evaluations=EVALUATIONS, method=DE)


def _seconds(rows: ResultRows, method: str, budget: int) -> dict[tuple[str, str], float]:
    """By table and seed; the widest bounds of a method come last."""
    wanted = (method, str(budget))
    return {(r["table"], r["seed"]): float(r["fit_s"]) for r in rows if (r["method"], r["budget"]) == wanted}


def _by_method(rows: ResultRows, model: str) -> ResultRows:
    """The rows of a model, with the method, its bounds and its budget as the job."""
    return [{**row, "job": _label(row)} for row in rows if row["job"] == model]


def _label(row: Mapping[str, str]) -> str:
    bounds = "" if row["method"] == GRADIENTS else f" {row['bounds']}" if row["bounds"] != "own" else ""
    return f"{row['method']}{bounds}, {int(row['budget']):,}"


def _base(rows: ResultRows) -> str:
    """The gradients with the largest budget."""
    return [name for name in names(rows, "job") if name.startswith(GRADIENTS)][-1]


def _first(rows: ResultRows) -> list[str]:
    """The methods without the longer budget."""
    return [name for name in names(rows, "job") if not name.endswith(f"{LONGER:,}")]
