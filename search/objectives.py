"""The objectives a search can minimise: one table, with unit and reference point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from neuraltree.tree.tree import Label


class Scale(NamedTuple):
    """What a default reference value may depend on: the config and the training targets, never a population."""

    target_deviation: float  # standard deviation of the training targets, natural units
    max_nodes: int
    kinds: int
    largest_cost: dict[str, float]  # of a tree of ``max_nodes`` on the device


class Objective(NamedTuple):
    """``source``: ``metric`` of predictions on validation rows, ``count`` of the tree, ``cost`` on the device."""

    name: str
    source: str
    unit: str
    tasks: str  # regression | classes | both
    reference: Callable[[Scale], float]
    doc: str


def _device(name: str) -> Callable[[Scale], float]:
    return lambda scale: scale.largest_cost[name]


# A reference is what a useless model scores, or what the largest tree of the space costs.
OBJECTIVES: tuple[Objective, ...] = (
    Objective("error", "metric", "1 - R² or 1 - accuracy", "both", lambda s: 1.0, "the usual error of the task"),
    Objective("one_minus_r2", "metric", "", "regression", lambda s: 1.0, "variance left unexplained"),
    Objective("rmse", "metric", "target", "regression", lambda s: s.target_deviation, "root mean squared error"),
    Objective("error_rate", "metric", "", "classes", lambda s: 1.0, "share of rows predicted as another class"),
    Objective("balanced_error", "metric", "", "classes", lambda s: 1.0, "error rate, mean over the classes"),
    Objective("log_loss", "metric", "nat", "classes", lambda s: 2.0, "cross-entropy"),
    Objective("class_errors", "metric", "one per class", "classes", lambda s: 1.0, "error rate of each class"),
    Objective("weights", "count", "edges + biases", "both", lambda s: 2.0 * s.max_nodes, "parameters"),
    Objective("nodes", "count", "", "both", lambda s: s.max_nodes + 1.0, "function nodes and leaves"),
    Objective("macs", "count", "", "both", lambda s: float(s.max_nodes), "multiply-accumulates of a prediction"),
    Objective("distinct_activations", "count", "", "both", lambda s: s.kinds + 1.0, "activation kinds in use"),
    Objective("latency_s", "cost", "s", "both", _device("latency_s"), "time of a prediction"),
    Objective("flash_bytes", "cost", "byte", "both", _device("flash_bytes"), "code and constants"),
    Objective("ram_bytes", "cost", "byte", "both", _device("ram_bytes"), "variables and stack"),
    Objective("energy_j", "cost", "J", "both", _device("energy_j"), "energy of a prediction"),
)

BY_NAME: dict[str, Objective] = {row.name: row for row in OBJECTIVES}
NAMES: tuple[str, ...] = tuple(BY_NAME)
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
    """The value that decides: a cost as measured, or as predicted if it was not measured; infinite if unknown."""
    return values.get(f"measured_{name}", values.get(name, math.inf))


def metric_names(objectives: Sequence[str]) -> list[str]:
    """The objectives that are errors of predictions; the first of them is ``val_error``."""
    return [name for name in objectives if name in BY_NAME and BY_NAME[name].source == "metric"]


def named_columns(objectives: Sequence[str]) -> list[str]:
    """The columns of the objectives, ``val_error`` for the first metric. front.csv has none for a second metric."""
    first = metric_names(objectives)[:1]
    return ["val_error" if name in first else name for name in objectives]
