"""The objectives a search can minimise: one table, with unit and reference point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from neuraltree.tree.tree import Label


class Scale(NamedTuple):
    """The facts that default reference values depend on: from the config and the training targets, not a population."""

    target_deviation: float  # standard deviation of the training targets, natural units
    max_nodes: int
    kinds: int  # activations of the space
    largest_cost: dict[str, float]  # the costs of a tree of ``max_nodes`` on the device


class Objective(NamedTuple):
    """One row of the table of objectives.

    ``source``: a ``metric`` of predictions on validation rows, a ``count`` of the tree, or a ``cost`` on the device.
    """

    name: str
    source: str
    unit: str
    tasks: str  # regression | classes | both
    reference: Callable[[Scale], float]
    doc: str


def _device(name: str) -> Callable[[Scale], float]:
    return lambda scale: scale.largest_cost[name]


# A default reference value is the score of a useless model, or the cost of the largest tree of the space.
OBJECTIVES: tuple[Objective, ...] = (
    Objective("error", "metric", "", "both", lambda s: 1.0, "1 - R² for regression, 1 - accuracy for classes"),
    Objective("one_minus_r2", "metric", "", "regression", lambda s: 1.0, "share of variance left unexplained, 1 - R²"),
    Objective("rmse", "metric", "the target's", "regression", lambda s: s.target_deviation, "root mean squared error"),
    Objective("error_rate", "metric", "", "classes", lambda s: 1.0, "share of rows whose predicted class is wrong"),
    Objective("balanced_error", "metric", "", "classes", lambda s: 1.0, "mean of the classes' error rates"),
    Objective("log_loss", "metric", "nat", "classes", lambda s: 2.0, "cross-entropy"),
    Objective(
        "class_errors", "metric", "", "classes", lambda s: 1.0, "error rate of each class, an objective per class"
    ),
    Objective("weights", "count", "", "both", lambda s: 2.0 * s.max_nodes, "number of edge weights and biases"),
    Objective("nodes", "count", "", "both", lambda s: s.max_nodes + 1.0, "number of function nodes and leaves"),
    Objective("macs", "count", "", "both", lambda s: float(s.max_nodes), "multiply-accumulates of one prediction"),
    Objective("distinct_activations", "count", "", "both", lambda s: s.kinds + 1.0, "number of different activations"),
    Objective("latency_s", "cost", "s", "both", _device("latency_s"), "time of one prediction"),
    Objective("flash_bytes", "cost", "byte", "both", _device("flash_bytes"), "size of code and constants"),
    Objective("ram_bytes", "cost", "byte", "both", _device("ram_bytes"), "size of variables and stack"),
    Objective("energy_j", "cost", "J", "both", _device("energy_j"), "energy of one prediction"),
)

BY_NAME: dict[str, Objective] = {row.name: row for row in OBJECTIVES}
NAMES: tuple[str, ...] = tuple(BY_NAME)
SIZE_NAMES: tuple[str, ...] = tuple(row.name for row in OBJECTIVES if row.source != "metric")
COST_NAMES: tuple[str, ...] = tuple(row.name for row in OBJECTIVES if row.source == "cost")


def metric_of(name: str, kind: str) -> str:
    """The metric behind ``error``: 1 - R² for regression, 1 - accuracy for classes."""
    if name != "error":
        return name
    return "one_minus_r2" if kind == "regression" else "error_rate"


def columns_of(name: str, classes: tuple[Label, ...] | None) -> list[str]:
    """The columns an objective stands for: itself, or one per class."""
    if name != "class_errors":
        return [name]
    return [f"error_class_{label}" for label in classes or ()]


def held_to(values: Mapping[str, float], name: str) -> float:
    """The value that decides: the measured cost, or the predicted value if none was measured; infinite if unknown."""
    return values.get(f"measured_{name}", values.get(name, math.inf))


def metric_names(objectives: Sequence[str]) -> list[str]:
    """The objectives that are errors of predictions; the first of them is ``val_error``."""
    return [name for name in objectives if name in BY_NAME and BY_NAME[name].source == "metric"]


def named_columns(objectives: Sequence[str], error: str = "val_error") -> list[str]:
    """The columns of the objectives, ``error`` for the first metric; front.csv has no column for other metrics."""
    first = metric_names(objectives)[:1]
    return [error if name in first else name for name in objectives]
