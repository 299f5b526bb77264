"""Models of at most so many weights in mean rank over the tables, and where a linear model suffices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.data import TABLES
from experiments.rendering.scores import HEADLINE, LABELS, Entry, Scores, means_by_table
from experiments.rendering.significance import hold_outs, least_pairs, of_table
from experiments.rendering.text import figure, right, whole
from experiments.rows import BUDGETS
from experiments.statistics import interval, ranks

COMPARED = ("evolved", "pruned_mlp", "mlp_8", "linear", "cart", "random_tree")


class MeanRank(NamedTuple):
    """``fits``: the share of hold-outs on which the model has so few weights; on the others it is ranked last."""

    mean: float
    low: float
    high: float
    fits: float


def mean_ranks(scores: Scores, budget: int) -> dict[str, MeanRank]:
    """By model, over all tables and seeds that an evolved tree of the budget has; {} where there are none."""
    blocks = [
        (table, seed) for table in TABLES for seed in sorted(scores.get(Entry("evolved", budget), {}).get(table, {}))
    ]
    models = [model for model in COMPARED if any(entry.model == model for entry in scores)]
    if not blocks or len(models) < 2:
        return {}
    found = np.array([[score_within(scores, model, budget, *block) for model in models] for block in blocks])
    of_table = np.array([table for table, _ in blocks])
    by_table = np.stack([ranks(found[of_table == table]).mean(axis=0) for table in dict.fromkeys(of_table.tolist())])
    fits = (~np.isnan(found)).mean(axis=0)
    return {
        model: MeanRank(float(column.mean()), *interval(column), float(share))
        for model, column, share in zip(models, by_table.T, fits, strict=True)
    }


def score_within(scores: Scores, model: str, budget: int, table: str, seed: int) -> float:
    """The score of the model made for the budget or the next smaller one, or of one without a budget; NaN for none.

    A small table can have no model for a large budget: what an MLP is pruned from may be smaller.
    """
    for entry in (*(Entry(model, size) for size in reversed(BUDGETS) if size <= budget), Entry(model)):
        scored = scores.get(entry, {}).get(table, {}).get(seed)
        if scored is not None and scored.weights <= budget:
            return scored.score
    return float("nan")


def section(scores: Scores) -> str | None:
    """None where no evolved tree has a budget."""
    found = {budget: mean_ranks(scores, budget) for budget in BUDGETS}
    models = [model for model in COMPARED if any(model in ranked for ranked in found.values())]
    if not models:
        return None
    lines = [[LABELS[model], *(_cell(found[budget].get(model)) for budget in BUDGETS)] for model in models]
    parts = [
        "## At equal weights",
        "Mean rank of the test score (1 is best) over seeds, then tables, with the bootstrap's 95 % interval over "
        "tables, of models with at most so many weights. Who cannot be made so small on a hold-out is ranked last "
        "there; in brackets the share of hold-outs with a model small enough, where that is not all.",
        right(("model", *(f"≤ {budget} weights" for budget in BUDGETS)), lines),
        linear_suffices(scores),
    ]
    return "\n\n".join(part for part in parts if part)


def _cell(rank: MeanRank | None) -> str:
    if rank is None:
        return "–"
    share = "" if rank.fits == 1 else f" ({100 * rank.fits:.0f} %)"
    return f"{rank.mean:.2f} [{rank.low:.2f}, {rank.high:.2f}]{share}"


def linear_suffices(scores: Scores) -> str | None:
    """The tables on which the headline model is not significantly better than a linear one."""
    linear = Entry("linear")
    if HEADLINE not in scores or linear not in scores or hold_outs(scores) < least_pairs(scores):
        return None
    mine, theirs = means_by_table(scores[HEADLINE]), means_by_table(scores[linear])
    tests = {table: test for table in mine if (test := of_table(scores, table).get(linear)) is not None}
    lines = [
        [
            *(table, figure(theirs[table]), _weights(scores, linear, table)),
            *(figure(mine[table]), _weights(scores, HEADLINE, table), figure(test.p)),
        ]
        for table, test in tests.items()
        if test.sign < 1
    ]
    if not lines:
        return "On every table the evolved tree is significantly better than the linear model."
    header = ("table", "linear", "weights", "evolved", "weights", "p (Holm)")
    return (
        f"On {len(lines)} of {len(tests)} tables the evolved tree is not significantly better than a linear model:"
        f"\n\n{right(header, lines)}"
    )


def _weights(scores: Scores, entry: Entry, table: str) -> str:
    counts: NDArray = np.array([scored.weights for scored in scores[entry][table].values()])
    return whole(float(counts.mean()))
