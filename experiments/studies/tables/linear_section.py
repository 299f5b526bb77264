"""The tables on which a linear model does as well as the evolved tree, and those on which it does not."""

from __future__ import annotations

import numpy as np

from experiments.common.paper_tables import TABLES
from experiments.common.statistics import holm, interval, paired, signed_rank_p
from experiments.rendering.scores import HEADLINE, Entry, Scores, values
from experiments.rendering.text import figure, right, signed, whole
from experiments.studies.tables.significance import LEVEL

LINEAR = Entry("linear")
MARGIN = 0.01  # of accuracy or R²: a difference that does not matter to most users
HEADER = ("table", "linear", "weights", "evolved", "weights", "difference", "95 % interval", "p (Holm)", "verdict")
LEAST_HOLD_OUTS = 20  # with fewer the bootstrap's intervals are too short


def section(scores: Scores) -> str | None:
    """None if the two models share too few hold-outs."""
    if HEADLINE not in scores or LINEAR not in scores:
        return None
    tables = [table for table in TABLES if table in scores[HEADLINE] and table in scores[LINEAR]]
    pairs = {table: paired(*(values(scores[entry][table]) for entry in (HEADLINE, LINEAR))) for table in tables}
    pairs = {table: pair for table, pair in pairs.items() if len(pair[0]) >= LEAST_HOLD_OUTS}
    if not pairs:
        return None
    adjusted = holm([signed_rank_p(*pair) for pair in pairs.values()])
    lines = [_line(scores, table, *pair, float(p)) for (table, pair), p in zip(pairs.items(), adjusted, strict=True)]
    count = sum(line[-1].startswith("linear") for line in lines)
    return "\n\n".join(
        [
            "## Tables on which a linear model suffices",
            "Mean score of the evolved tree minus that of the linear model (logistic or ridge regression), with the "
            "bootstrap's 95 % interval over the hold-outs. They share rows, so the interval covers the choice of a "
            f"hold-out, not new data. *Linear suffices* if the interval ends below +{figure(MARGIN, 2)}; otherwise "
            "*tree* if the tree is better with p < .05 (Wilcoxon's signed-rank test, Holm's correction over the "
            f"tables); otherwise *open*. Linear suffices on {count} of {len(lines)} tables.",
            right(HEADER, lines),
        ]
    )


def _line(scores: Scores, table: str, mine: np.ndarray, theirs: np.ndarray, p: float) -> list[str]:
    low, high = interval(mine - theirs)
    difference = float(np.mean(mine - theirs))
    return [
        table,
        figure(float(theirs.mean())),
        _weights(scores, LINEAR, table),
        figure(float(mine.mean())),
        _weights(scores, HEADLINE, table),
        signed(difference),
        f"{signed(low)} to {signed(high)}",
        figure(p),
        verdict(difference, high, p),
    ]


def verdict(difference: float, high: float, p: float) -> str:
    """``high``: the upper end of the interval of the difference."""
    if high < MARGIN:
        return "linear suffices"
    return "tree" if difference > 0 and p < LEVEL else "open"


def _weights(scores: Scores, entry: Entry, table: str) -> str:
    return whole(float(np.mean(list(values(scores[entry][table], "weights").values()))))
