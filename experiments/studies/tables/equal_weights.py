"""Mean ranks over the tables of models under a limit on weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from experiments.common.paper_tables import TABLES
from experiments.common.statistics import interval, ranks
from experiments.rendering.scores import LABELS, Entry, Scored, Scores
from experiments.rendering.text import right
from experiments.studies.tables.rows import BUDGETS

COMPARED = ("evolved", "pruned_mlp", "mlp_8", "linear", "cart", "random_tree")


class MeanRank(NamedTuple):
    """``fits``: the share of hold-outs on which the model keeps the budget; on the others it is ranked last."""

    mean: float
    low: float
    high: float
    fits: float


def mean_ranks(scores: Scores, budget: int) -> dict[str, MeanRank]:
    """By model, over all tables and seeds with an evolved tree of the budget; {} if there are none."""
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


def within(scores: Scores, model: str, budget: int, table: str, seed: int) -> Scored | None:
    """The model made for the largest budget up to ``budget``, or one without a budget; None if none is small enough."""
    for entry in (*(Entry(model, size) for size in reversed(BUDGETS) if size <= budget), Entry(model)):
        scored = scores.get(entry, {}).get(table, {}).get(seed)
        if scored is not None and scored.weights <= budget:
            return scored
    return None


def score_within(scores: Scores, model: str, budget: int, table: str, seed: int) -> float:
    """NaN if no model is small enough."""
    scored = within(scores, model, budget, table, seed)
    return float("nan") if scored is None else scored.score


def section(scores: Scores) -> str | None:
    """None if no evolved tree has a budget."""
    found = {budget: mean_ranks(scores, budget) for budget in BUDGETS}
    models = [model for model in COMPARED if any(model in ranked for ranked in found.values())]
    if not models:
        return None
    lines = [[LABELS[model], *(_cell(found[budget].get(model)) for budget in BUDGETS)] for model in models]
    parts = [
        "## At equal weights",
        "Mean rank of the test score (1 is best) over seeds, then tables, with the bootstrap's 95 % interval over "
        "tables, among models that keep the limit on weights. A model that cannot be made small enough on a hold-out "
        "is ranked last there. Parentheses: the share of hold-outs with a small enough model, if it is below 100 %.",
        right(("model", *(f"≤ {budget} weights" for budget in BUDGETS)), lines),
    ]
    return "\n\n".join(parts)


def _cell(rank: MeanRank | None) -> str:
    if rank is None:
        return "–"
    share = "" if rank.fits == 1 else f" ({100 * rank.fits:.0f} %)"
    return f"{rank.mean:.2f} [{rank.low:.2f}, {rank.high:.2f}]{share}"
