"""The rows of the 14 tables, and the jobs that give them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from experiments.frame.experiment import Row, Unit

BUDGETS = (30, 60, 120, 250)  # of weights
COLUMNS = ("protocol", "model", "budget", "score", "weights", "macs", "val_score", "note")


class Job(NamedTuple):
    """``run(unit, quick)`` gives rows of ``COLUMNS``; ``settings(unit, quick)`` what they depend on besides code."""

    run: Callable[[Unit, bool], list[Row]]
    settings: Callable[[Unit, bool], dict[str, Any]]


def honest(
    model: str,
    *,
    score: float,
    weights: int,
    budget: int | None = None,
    macs: int | None = None,
    val_score: float | None = None,
    note: str = "",
) -> Row:
    """A row whose test rows were used once; ``budget``: the largest number of weights the model may have."""
    return {
        "protocol": "honest",
        "model": model,
        "budget": budget,
        "score": score,
        "weights": weights,
        "macs": macs,
        "val_score": val_score,
        "note": note,
    }


def warned_of(warned: Counter[str], fits: int) -> str:
    """A note on the warnings during ``fits`` fits, by category."""
    return ", ".join(f"{name} in {count} of {fits} fits" for name, count in sorted(warned.items()))
