"""The figures of a generation: its row of history.csv, and its speed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuraltree.engine.lowering import compilations
from search.engine.row_samples import rows_of

if TYPE_CHECKING:
    from search.engine.evolution_step import Info, State
    from search.engine.problem import Setup

# seconds_save covers the writes since the last row: those of the generation before.
PHASES = ("vary", "train", "cost", "select", "save")
HISTORY = (
    *("generation", "evaluations", "hypervolume", "front_size", "best_error"),
    *(f"seconds_{name}" for name in PHASES),
    "compilations",
)


def row_of(state: State, info: Info, seconds: dict[str, float]) -> dict[str, Any]:
    """The row of a generation; ``seconds``: by phase."""
    best_error = info.best_error if math.isfinite(info.best_error) else None  # infinite: no tree meets the constraints
    values = (state.generation, state.evaluations, info.hypervolume, len(info.front), best_error)
    return dict(zip(HISTORY, (*values, *(seconds.get(name, 0.0) for name in PHASES), compilations()), strict=True))


def speed_of(setup: Setup, state: State, info: Info, seconds: dict[str, float]) -> dict[str, float]:
    """Trees per second of the whole generation, and weight·samples per second of its training."""
    rows = rows_of(setup.problem, state.generation) * setup.problem.epochs
    weights = float(info.evaluated.columns["weights"].sum())
    return {
        "trees_per_s": len(info.evaluated.trees) / sum(seconds.values()),
        "weight_samples_per_s": weights * rows / seconds["train"],
    }
