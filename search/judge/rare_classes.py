"""What a user should know about rare classes: too few rows to judge by, and models that never predict them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks.metrics import predicted_classes
from search.engine.evaluate import Problem
from search.engine.problem import Setup
from search.table.data import Table

FEW = 10  # validation rows of a class below which its errors are mostly noise
RARE = 0.2  # the share of a class below which its recall is told


def few_rows(table: Table, setup: Setup) -> list[str]:
    """A line if classes have fewer validation rows than ``FEW``."""
    if table.classes is None:
        return []
    counts = _counts(setup.problem.validation_truth.target, len(table.classes))
    few = [f"{label!r} {count}" for label, count in zip(table.classes, counts.tolist(), strict=True) if count < FEW]
    if not few:
        return []
    return [f"classes with fewer than {FEW} validation rows: {', '.join(few)}; errors say little about them"]


def found_of_classes(
    table: Table, problem: Problem, outputs: FloatArray, thresholds: FloatArray, chosen: int
) -> list[str]:
    """A line if every tree predicts the same class everywhere; else one about the rarest class if it is rare.

    ``outputs`` (trees, outputs, rows) are those of a judgement for its validation rows. ``thresholds`` (trees,) of the
    logits of two classes; ``chosen``: the place of the recommended tree.
    """
    if table.classes is None or not len(outputs):
        return []
    truth = problem.validation_truth.target
    decided = outputs - thresholds[:, None, None]  # thresholds are 0 for more than two classes
    predicted = predicted_classes(problem.task, decided)
    if len(np.unique(predicted)) == 1:
        return [
            f"every model predicts {table.classes[int(predicted[0, 0])]!r} for every row: choose an objective that "
            'rewards rare classes, such as balanced_error, or set train.class_weight = "balanced"'
        ]
    counts = _counts(truth, len(table.classes))
    rarest = int(np.argmin(np.where(counts > 0, counts, len(truth) + 1)))
    if counts[rarest] >= RARE * len(truth):
        return []
    seen = predicted[chosen] == rarest
    hits = int(np.count_nonzero(seen & (truth == rarest)))
    of = f"{hits} of the {counts[rarest]} rows of {table.classes[rarest]!r}"
    return [
        f"the recommended model finds {of} (recall {hits / counts[rarest]:.2f}), with {seen.sum() - hits} false alarms"
    ]


def _counts(codes: NDArray, classes: int) -> NDArray[np.int64]:
    return np.bincount(codes, minlength=classes)
