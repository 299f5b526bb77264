"""Ensembles of a front against its best member, with the published results of HFNT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.common.statistics import holm, paired, signed_rank_p
from experiments.rendering.searches import ResultRows, by_seed, present, seeds_of, spread
from experiments.rendering.text import figure, right, signed
from experiments.studies.activations.run import KINDS, MIXED
from experiments.studies.multi_output.heterogeneous import TABLES
from experiments.studies.multi_output.published_sources import HFNT
from experiments.studies.multi_output.run import ENSEMBLE

TEXT = """## Heterogeneous ensembles

An ensemble has at most five members of one front, with {activations} mixed. They are chosen and weighted by least
squares on the rows that their folds left out. The ensemble is compared with the member with the lowest validation
error. Test scores (R² on baseball, dee and friedman, accuracy elsewhere) are medians and quartiles of {seeds}; weights
and, for regression, half the mean squared error are medians. p: Wilcoxon's signed-rank test, Holm's correction over the
tables. *HFNT 2021*: published test scores of multi-objective trees on 80/20 hold-outs of the same tables. *HFNT 2017*:
for classes, the mean test accuracy of trees in 10-fold cross-validation and that of the best ensemble; for regression,
half the mean squared error in 5-fold cross-validation."""
HEADER = (
    *("", "best member", "weights", "half MSE", "ensemble", "weights", "half MSE", "mean difference", "p (Holm)"),
    *("*HFNT 2021*", "*HFNT 2017*", "*its ensemble*"),
)


def section(rows: ResultRows) -> list[str]:
    mine = [row for row in rows if row["job"] == ENSEMBLE]
    if not mine:
        return []
    text = TEXT.format(activations=", ".join(KINDS[MIXED]), seeds=seeds_of(mine))
    tables = present(TABLES, mine, "table")
    p = holm([signed_rank_p(*_pair(mine, table)) for table in tables])
    return [text, right(HEADER, [_line(mine, table, each) for table, each in zip(tables, p, strict=True)])]


def _pair(rows: ResultRows, table: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of ensembles, and of the best members on the same hold-outs."""
    ours, single = (by_seed(rows, table, ENSEMBLE, name) for name in ("ensemble_score", "test_score"))
    return paired(ours, single)


def _line(rows: ResultRows, table: str, p: float) -> list[str]:
    both, best = _pair(rows, table)
    published = HFNT[table]
    regression = any(row["half_mse"] for row in rows if row["table"] == table)
    return [
        table,
        spread(best, 3),
        *_sizes(rows, table, "weights", "half_mse"),
        spread(both, 3),
        *_sizes(rows, table, "ensemble_weights", "ensemble_half_mse"),
        signed(float(np.mean(both - best))),
        figure(p),
        figure(published.multi),
        _error(published.tree) if regression else figure(published.tree),
        figure(published.ensemble) if published.ensemble else "",
    ]


def _sizes(rows: ResultRows, table: str, weights: str, error: str) -> list[str]:
    """Medians of weights and of a squared error; the latter is empty for classes."""
    number, errors = (list(by_seed(rows, table, ENSEMBLE, name).values()) for name in (weights, error))
    return [f"{np.median(number):.0f}", _error(float(np.median(errors))) if errors else ""]


def _error(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else figure(value)
