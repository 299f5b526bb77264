"""Ensembles of a front against its best member, beside HFNT's."""

from __future__ import annotations

import numpy as np

from experiments.activations import KINDS, MIXED
from experiments.multi_output import ENSEMBLE
from experiments.rendering.searches import Rows, by_seed, names, seeds_of, spread
from experiments.rendering.sources import HFNT
from experiments.rendering.text import figure, right, signed
from experiments.statistics import paired, signed_rank_p

TEXT = """## Heterogeneous ensembles

At most five members of one front, with {activations} mixed, chosen and weighted by least squares on the rows that
their folds left out, against the member with the lowest validation error: test scores (R² on baseball, dee and
friedman, accuracy elsewhere), medians and quartiles of {seeds}; weights: medians. p: Wilcoxon's signed-rank test.
*HFNT 2021*: published test scores of multi-objective trees on 80/20 hold-outs of the same tables. *HFNT 2017*: mean
test accuracy of trees in 10-fold cross-validation and that of the best ensemble; on the last three tables half the
mean squared error in 5-fold cross-validation, beside which stands the median of our ensembles."""
HEADER = (
    *("", "best member", "weights", "ensemble", "weights", "mean difference", "p", "half MSE"),
    *("*HFNT 2021*", "*HFNT 2017*", "*its ensemble*"),
)


def section(rows: Rows) -> list[str]:
    mine = [row for row in rows if row["job"] == ENSEMBLE]
    if not mine:
        return []
    text = TEXT.format(activations=", ".join(KINDS[MIXED]), seeds=seeds_of(mine))
    return [text, right(HEADER, [_line(mine, table) for table in names(mine, "table")])]


def _line(rows: Rows, table: str) -> list[str]:
    columns = ("ensemble_score", "test_score", "ensemble_weights", "weights", "ensemble_half_mse")
    ours, single, our_weights, weights, errors = (by_seed(rows, table, ENSEMBLE, name) for name in columns)
    both, best = paired(ours, single)
    published = HFNT[table]
    return [
        table,
        spread(best, 3),
        f"{np.median(list(weights.values())):.0f}",
        spread(both, 3),
        f"{np.median(list(our_weights.values())):.0f}",
        signed(float(np.mean(both - best))),
        figure(signed_rank_p(both, best)),
        _error(float(np.median(list(errors.values())))) if errors else "",
        figure(published.multi),
        _error(published.tree) if errors else figure(published.tree),
        figure(published.ensemble) if published.ensemble else "",
    ]


def _error(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else figure(value)
