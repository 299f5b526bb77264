"""Where a linear model does as well as the evolved tree, and where it does not."""

from __future__ import annotations

import numpy as np

from experiments.data import TABLES
from experiments.rendering.scores import HEADLINE, Entry, Scores, values
from experiments.rendering.text import figure, right, signed, whole
from experiments.statistics import interval, paired

LINEAR = Entry("linear")
MARGIN = 0.01  # of accuracy or R²: what is no difference to most who use a model
HEADER = ("table", "linear", "weights", "evolved", "weights", "difference", "95 % interval", "verdict")
LEAST_HOLD_OUTS = 5  # for an interval that means anything


def section(scores: Scores) -> str | None:
    """None where there are too few hold-outs of both."""
    if HEADLINE not in scores or LINEAR not in scores:
        return None
    tables = [table for table in TABLES if table in scores[HEADLINE] and table in scores[LINEAR]]
    pairs = {table: paired(*(values(scores[entry][table]) for entry in (HEADLINE, LINEAR))) for table in tables}
    lines = [
        _line(scores, table, mine, theirs) for table, (mine, theirs) in pairs.items() if len(mine) >= LEAST_HOLD_OUTS
    ]
    if not lines:
        return None
    count = sum(line[-1].startswith("linear") for line in lines)
    return "\n\n".join(
        [
            "## Where a linear model suffices",
            "Mean difference of the evolved tree from the linear model (logistic or ridge regression), with the "
            "bootstrap's 95 % interval over the hold-outs. *Linear suffices* where the interval ends below "
            f"+{figure(MARGIN, 2)}, *tree* where it begins above 0: linear suffices on {count} of {len(lines)} tables.",
            right(HEADER, lines),
        ]
    )


def _line(scores: Scores, table: str, mine: np.ndarray, theirs: np.ndarray) -> list[str]:
    low, high = interval(mine - theirs)
    return [
        table,
        figure(float(theirs.mean())),
        _weights(scores, LINEAR, table),
        figure(float(mine.mean())),
        _weights(scores, HEADLINE, table),
        signed(float(np.mean(mine - theirs))),
        f"{signed(low)} to {signed(high)}",
        verdict(low, high),
    ]


def verdict(low: float, high: float) -> str:
    """Of an interval of the difference."""
    if high < MARGIN:
        return "linear suffices"
    return "tree" if low > 0 else "open"


def _weights(scores: Scores, entry: Entry, table: str) -> str:
    return whole(float(np.mean(list(values(scores[entry][table], "weights").values()))))
