"""The objectives a search can minimise: one table, with unit and reference point."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from neuraltree.hardware.model.cost_names import LOAD, MEAN
from neuraltree.tasks.losses import LEVEL

if TYPE_CHECKING:
    from neuraltree.tree.labels import Label


class Scale(NamedTuple):
    """The facts that default reference values depend on: from the config and the training targets, not a population."""

    target_deviation: float  # standard deviation of the training targets, natural units
    max_nodes: int
    kinds: int  # activations of the space
    largest_cost: dict[str, float]  # the costs of a tree of ``max_nodes`` on the device
    worst_group_error: float = 1.0  # of a constant, at least 1: a group can lie further from the mean than the target


class Objective(NamedTuple):
    """One row of the table of objectives.

    ``source``: a ``metric`` of predictions on validation rows, a ``bound`` of a metric if the inputs change, a
    ``count`` of the tree, or a ``cost`` on the device.
    ``label``: the words for the values of a metric in reports. ``score``: 1 - it is minimised. ``level``: a number
    between 0 and 1 follows the name.
    """

    name: str
    source: str
    unit: str
    tasks: str  # a key of KINDS
    reference: Callable[[Scale], float]
    doc: str
    label: str = ""
    score: bool = False
    level: bool = False

    @property
    def column(self) -> str:
        return f"one_minus_{self.name}" if self.score else self.name

    @property
    def form(self) -> str:
        """The name, with an example of its level."""
        return f"{self.name}_0.5" if self.level else self.name


# The kinds of table that the objectives of a row serve.
KINDS: dict[str, tuple[str, ...]] = {
    "both": ("regression", "binary", "multiclass"),
    "regression": ("regression",),
    "classes": ("binary", "multiclass"),
    "two classes": ("binary",),
}


def _device(name: str) -> Callable[[Scale], float]:
    return lambda scale: scale.largest_cost[name]


def _metric(
    name: str,
    tasks: str,
    reference: float | Callable[[Scale], float],
    doc: str,
    label: str,
    unit: str = "",
    *,
    level: bool = False,
) -> Objective:
    value = reference if callable(reference) else lambda scale: reference
    return Objective(name, "metric", unit, tasks, value, doc, label, level=level)


def _score(name: str, tasks: str, doc: str, label: str, *, reference: float = 1.0, level: bool = False) -> Objective:
    return Objective(name, "metric", "", tasks, lambda scale: reference, doc, f"1 − {label}", score=True, level=level)


ROBUST, ROBUST_SCORE = "robust_error", "robust_score"  # the same of validation rows and, as a score, of test rows
# A default reference value is the score of a useless model, or the cost of the largest tree of the space.
# The mean of the target has an absolute error of a standard deviation at most, and half of it as its pinball loss.
OBJECTIVES: tuple[Objective, ...] = (
    _metric("error", "both", 1.0, "1 - R² for regression, 1 - accuracy for classes", ""),
    _metric("one_minus_r2", "regression", 1.0, "share of variance left unexplained, 1 - R²", "1 − R²"),
    _metric("rmse", "regression", lambda s: s.target_deviation, "root mean squared error", "RMSE", "the target's"),
    _metric("mae", "regression", lambda s: s.target_deviation, "mean absolute error", "MAE", "the target's"),
    _metric(
        "pinball",
        "regression",
        lambda s: 0.5 * s.target_deviation,
        "mean pinball loss at a quantile: `pinball_0.9` is lowest for predictions that 90 % of the targets are below",
        "pinball loss at quantile",
        "the target's",
        level=True,
    ),
    _metric(
        "huber",
        "regression",
        0.5,
        "mean Huber loss in standard deviations of the target, linear from 1 on",
        "Huber loss",
    ),
    _metric("error_rate", "classes", 1.0, "share of rows whose predicted class is wrong", "error rate"),
    _metric("balanced_error", "classes", 1.0, "mean of the classes' error rates", "balanced error"),
    _metric("log_loss", "classes", 2.0, "cross-entropy", "log loss", "nat"),
    _metric("balanced_log_loss", "classes", 2.0, "mean of the classes' cross-entropies", "balanced log loss", "nat"),
    _metric(
        "worst_group_error",
        "both",
        lambda s: s.worst_group_error,
        "largest error of the groups in `data.fairness_group`: error rate for classes, mean squared error over the "
        "target's variance for regression",
        "error of the worst group",
    ),
    _metric("class_errors", "classes", 1.0, "error rate of each class, an objective per class", "error rate"),
    _score("f1", "two classes", "F1 of the second of two classes", "F1"),
    _score("f1_macro", "classes", "mean F1 of the classes", "macro F1"),
    _score("average_precision", "two classes", "average precision of the second of two classes", "average precision"),
    _score(
        "roc_auc",
        "classes",
        "area under the ROC curve; with three or more classes the mean over the classes, each against the rest",
        "ROC AUC",
        reference=0.5,
    ),
    _score(
        "recall_at_precision",
        "two classes",
        "highest recall of the second of two classes at any threshold whose precision is the level or more",
        "recall at precision",
        level=True,
    ),
    _score(
        "precision_at_recall",
        "two classes",
        "highest precision of the second of two classes at any threshold whose recall is the level or more",
        "precision at recall",
        level=True,
    ),
    Objective(
        ROBUST,
        "bound",
        "",
        "both",
        lambda s: 1.0,
        "proved upper bound of `error` if each scaled input of a row changes by up to `search.robust_radius`: a row "
        "counts as right only if no such change makes its class another",
    ),
    Objective("weights", "count", "", "both", lambda s: 2.0 * s.max_nodes, "number of edge weights and biases"),
    Objective("nodes", "count", "", "both", lambda s: s.max_nodes + 1.0, "number of function nodes and leaves"),
    Objective("macs", "count", "", "both", lambda s: float(s.max_nodes), "multiply-accumulates of one prediction"),
    Objective("distinct_activations", "count", "", "both", lambda s: s.kinds + 1.0, "number of different activations"),
    Objective("latency_s", "cost", "s", "both", _device("latency_s"), "time of one prediction"),
    Objective("flash_bytes", "cost", "byte", "both", _device("flash_bytes"), "size of code and constants"),
    Objective("ram_bytes", "cost", "byte", "both", _device("ram_bytes"), "size of variables and stack"),
    Objective("energy_j", "cost", "J", "both", _device("energy_j"), "energy of one prediction"),
    Objective("worst_latency_s", "cost", "s", "both", _device("worst_latency_s"), "time of the slowest prediction"),
    Objective(
        MEAN,
        "cost",
        "s",
        "classes",
        _device("latency_s"),
        "mean time of a prediction over the training rows, of code with an early exit (`compress.early_exit`); "
        "`latency_s` is then that of a row that never stops",
    ),
    Objective(
        LOAD,
        "cost",
        "",
        "both",
        _device(LOAD),
        "share of the time in which the processor is busy with a stream of samples; of recordings only",
    ),
)

BY_NAME: dict[str, Objective] = {row.name: row for row in OBJECTIVES}
NAMES: tuple[str, ...] = tuple(row.form for row in OBJECTIVES)
SIZE_NAMES: tuple[str, ...] = tuple(row.name for row in OBJECTIVES if row.source in ("count", "cost"))
COST_NAMES: tuple[str, ...] = tuple(row.name for row in OBJECTIVES if row.source == "cost")
# Only code with an early exit has ``MEAN``, and only that of recordings ``LOAD``.
USUAL_COSTS = tuple(name for name in COST_NAMES if name not in (MEAN, LOAD))
HONEST_MEAN = "honest_mean_latency_s"  # that of the weights whose error is the honest one


def find(name: str) -> Objective | None:
    """The row of a name in ``search.objectives``, with the level in its name and label; None if there is none."""
    stem, _, level = name.rpartition("_")
    if stem in BY_NAME and BY_NAME[stem].level and LEVEL.fullmatch(level):
        return BY_NAME[stem]._replace(name=name, label=f"{BY_NAME[stem].label} {level}", level=False)
    row = BY_NAME.get(name)
    return None if row is None or row.level else row


def level_fault(name: str) -> str:
    """The text of an error if ``name`` needs a level and has none; else ""."""
    stem = next((row.name for row in OBJECTIVES if row.level and name.startswith(row.name)), None)
    if stem is None or find(name):
        return ""
    return f"{name!r} needs a level between 0 and 1, without zeros at its end, as in {BY_NAME[stem].form!r}"


def rows_of(objectives: Iterable[str]) -> list[Objective]:
    """The rows of objectives, or of their columns; without the columns that share a row, those of single classes."""
    return [row for name in objectives if (row := find(name) or _score_in(name))]


def _score_in(column: str) -> Objective | None:
    row = find(column.removeprefix("one_minus_"))
    return row if row and row.column == column else None


def first_metric(objectives: Iterable[str]) -> Objective:
    """The row whose metric is in ``val_error``: the first metric that is one number, or ``error`` if there is none."""
    rows = [row for row in rows_of(objectives) if row.source == "metric" and row.name != "class_errors"]
    return (*rows, BY_NAME["error"])[0]


def metric_of(row: Objective, kind: str) -> str:
    """The metric of an objective; behind ``error`` it is 1 - R² for regression, 1 - accuracy for classes."""
    if row.name != "error":
        return row.column
    return "one_minus_r2" if kind == "regression" else "error_rate"


def metric_label(name: str) -> str:
    """The words for the values of a metric, by its objective or column; "" if there are none."""
    return next((row.label for row in rows_of([name])), "")


def columns_of(name: str, classes: tuple[Label, ...] | None) -> list[str]:
    """The columns an objective stands for: its own, or one per class."""
    if name != "class_errors":
        return [row.column for row in rows_of([name])]
    return [f"error_class_{label}" for label in classes or ()]


def held_to(values: Mapping[str, float], name: str) -> float:
    """The value that decides: the measured cost, or the predicted value if none was measured; infinite if unknown."""
    return values.get(f"measured_{name}", values.get(name, math.inf))


def metric_names(objectives: Sequence[str]) -> list[str]:
    """The objectives that are errors of predictions; the first of them is ``val_error``."""
    return [name for name in objectives if any(row.source == "metric" for row in rows_of([name]))]


def named_columns(objectives: Sequence[str], error: str = "val_error") -> list[str]:
    """The columns of the objectives in front.csv, ``error`` for the first metric."""
    first = metric_names(objectives)[:1]
    return [error if name in first else name for name in objectives]


def beside_honest(names: Sequence[str], known: Container[str]) -> list[str]:
    """The columns to compare beside honest errors: a mean latency of the same weights, if it is ``known``."""
    return [HONEST_MEAN if name == MEAN and HONEST_MEAN in known else name for name in names]
