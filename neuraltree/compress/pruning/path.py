"""Pruning of a finished tree along a path of sizes, each tree cut from the one before and trained further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.compress.pruning.criteria import Criterion, criterion_named, scored
from neuraltree.compress.pruning.cut import cut_to
from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import Lesson, lesson_of, taught_by
from neuraltree.compress.pruning.lines import straightened_to
from neuraltree.compress.pruning.retraining import RATE, retrained
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree

EPOCHS = 25  # of training after the cuts of one size
STEPS = 3  # cuts of one size, each with a part of the epochs after it
SEED_STREAM = 2**31 + 64


def prune(
    tree: Tree,
    X: ArrayLike,
    y: ArrayLike,
    share: float,
    *,
    criterion: str = "ablation",
    epochs: int = EPOCHS,
    learning_rate: float = RATE,
    steps: int = STEPS,
    seed: int = 0,
    weight: ArrayLike | None = None,
    loss: str = "auto",
    teach: bool = False,
) -> Tree:
    """The tree without a ``share`` of its nodes; see ``prune_path``."""
    training: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "steps": steps, "teach": teach}
    (pruned,) = prune_path(tree, X, y, [share], criterion=criterion, seed=seed, weight=weight, loss=loss, **training)
    return pruned


def checked_shares(
    shares: Sequence[float], epochs: int, steps: int = STEPS, learning_rate: float = RATE
) -> list[float]:
    """The shares as floats; ``ValueError`` for numbers that ``prune_path`` refuses."""
    wanted = [float(share) for share in shares]
    if any(not 0 < share < 1 for share in wanted) or sorted(set(wanted)) != wanted:
        raise ValueError(f"shares are {wanted}; they must rise, and lie above 0 and below 1")
    if epochs < 0 or steps < 1:
        raise ValueError(f"epochs={epochs} and steps={steps}; epochs are 0 or more, steps 1 or more")
    if not 0 < learning_rate < np.inf:
        raise ValueError(f"the learning rate is {learning_rate!r}; it must be above 0, as 0.01")
    return wanted


def prune_path(
    tree: Tree,
    X: ArrayLike,
    y: ArrayLike,
    shares: Sequence[float],
    *,
    criterion: str = "ablation",
    epochs: int = EPOCHS,
    learning_rate: float = RATE,
    steps: int = STEPS,
    seed: int = 0,
    weight: ArrayLike | None = None,
    loss: str = "auto",
    teach: bool = False,
) -> list[Tree]:
    """The tree without a share of its nodes, for each of ``shares`` in rising order; each is cut from the one before.

    ``X`` (rows, features) are raw inputs and ``y`` labels or target values of training rows; ``weight`` (rows,) their
    weights. ``loss``: that which a regression was trained on, e.g. "pinball_0.9", by default squares. The ``criterion``
    ranks the edges, see ``CRITERIA``; it is computed anew for each cut, on at most 1,000 rows. The mean of what came
    through an edge goes into the bias of its parent. A size is reached in ``steps`` cuts, whose shares follow a cubic
    schedule (Zhu & Gupta 2017, https://arxiv.org/abs/1710.01878, section 3), and after each the tree is trained for its
    part of ``epochs``; 0: it is not. The ``learning_rate`` falls to 0 as a cosine; trees of thousands of weights learn
    better with a third of the default. A structured criterion may end at a larger size. ``teach``: the whole tree
    teaches its cuts, as in knowledge distillation: what it expects on a row, probabilities or values, is half of the
    target.

    ``ValueError`` for shares that are not between 0 and 1, an unknown criterion, rows that do not fit the tree, or a
    teacher whose loss is not one of means.
    """
    row, lesson = criterion_named(criterion), lesson_of(tree, X, y, weight, loss)
    wanted = checked_shares(shares, epochs, steps, learning_rate)
    rng = np.random.default_rng((seed, SEED_STREAM))
    nodes, found = simplify(tree.nodes), []
    trained = taught_by(lesson, nodes) if teach else lesson
    whole, before = len(nodes), 0.0
    for share in wanted:
        for cut, part in _schedule(before, share, epochs, steps):
            nodes = cut_once(nodes, [lesson.sample()], row, round((1 - cut) * whole))
            nodes = retrained(nodes, trained, part, rng, rate=learning_rate)
        before = share
        found.append(replace(tree, nodes=nodes, int8_loss=None, band=None))
    return found


def cut_once(nodes: Nodes, lessons: Sequence[Lesson], criterion: Criterion, size: int) -> Nodes:
    """One cut to ``size`` nodes, with a lesson for each fold: by the sum of the scores over the folds.

    The means of each fold go into its own biases, and its lines are its own.
    """
    found = [passed(nodes, lesson, fold) for fold, lesson in enumerate(lessons)]
    scores = np.sum([scored(criterion, each) for each in found], axis=0)
    if criterion.unit == "node":
        return straightened_to(nodes, scores, size, np.stack([each.lines for each in found], axis=2))
    return cut_to(nodes, scores, size, np.stack([each.means for each in found], axis=1), criterion.unit)


def _schedule(before: float, share: float, epochs: int, steps: int) -> Iterator[tuple[float, int]]:
    """The shares from ``before`` to ``share`` and the epochs after each cut: large cuts first, small ones last."""
    for step in range(1, steps + 1):
        left = (1 - step / steps) ** 3
        yield share + (before - share) * left, epochs * step // steps - epochs * (step - 1) // steps
