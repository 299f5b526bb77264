"""What a user should know about classes: which is positive, too few rows to judge by, models that never predict one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks.metrics import predicted_classes
from neuraltree.tree.labels import Label
from search.engine.evaluate import Problem
from search.engine.problem import Setup
from search.objectives import rows_of
from search.table.data import Table

FEW = 10  # validation rows of a class below which its errors are mostly noise
RARE = 0.2  # the share of a class below which its recall is told


def about_classes(table: Table, setup: Setup) -> list[str]:
    """A line on the positive class if the search depends on it; and one if classes have few validation rows."""
    if table.classes is None:
        return []
    return [*_positive(table.classes, setup), *_few_rows(table.classes, setup)]


def _positive(classes: tuple[Label, ...], setup: Setup) -> list[str]:
    names = [row.name for row in rows_of(setup.strategy.objectives) if row.tasks == "two classes"]
    names += ["the threshold"] * (setup.tuned and not names)
    if not names:
        return []
    return [f"positive class: {classes[1]!r}, the one that {', '.join(names)} looks for; task.positive chooses another"]


def _few_rows(classes: tuple[Label, ...], setup: Setup) -> list[str]:
    """A line if classes have fewer validation rows than ``FEW``."""
    counts = _counts(setup.problem.validation_truth.target, len(classes))
    few = [f"{label!r} {count}" for label, count in zip(classes, counts.tolist(), strict=True) if count < FEW]
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
            'rewards rare classes, such as balanced_error, or set task.class_weight = "balanced"'
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
