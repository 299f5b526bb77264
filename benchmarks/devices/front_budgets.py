"""Scores that families of models keep within a budget, if the promised scores choose the models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, Any]


def within(rows: Iterable[Row], cost: str, budget: float) -> Row | None:
    """The row of highest promised score within the budget, the cheapest of equals; None if none is within it."""
    fitting = [row for row in rows if row[cost] <= budget]
    return min(fitting, key=lambda row: (-row["promised"], row[cost]), default=None)


def kept_scores(rows: Sequence[Row], cost: str, budgets: Iterable[float]) -> NDArray[np.float64]:
    """(budgets,): the median test score over the hold-outs of the rows; NaN unless every hold-out has a model."""
    holdouts = [[row for row in rows if row["seed"] == seed] for seed in sorted({row["seed"] for row in rows})]
    found = []
    for budget in budgets:
        chosen = [within(own, cost, budget) for own in holdouts]
        scores = [row["score"] for row in chosen if row is not None]
        found.append(float(np.median(scores)) if len(scores) == len(chosen) else np.nan)
    return np.array(found)


def middle_choice(rows: Sequence[Row], cost: str) -> dict[str, float]:
    """Medians over the hold-outs of the model that a user without a budget would choose."""
    seeds = sorted({row["seed"] for row in rows})
    chosen = [within([row for row in rows if row["seed"] == seed], cost, np.inf) for seed in seeds]
    names = ("score", "cycles", "flash_bytes", "ram_bytes")
    return {name: float(np.median([row[name] for row in chosen if row is not None])) for name in names}


def ahead(scores: Mapping[str, float], margin: float) -> list[str]:
    """The families within ``margin`` of the highest score; NaN is none."""
    known = {name: value for name, value in scores.items() if np.isfinite(value)}
    return [name for name, value in known.items() if value >= max(known.values()) - margin]
