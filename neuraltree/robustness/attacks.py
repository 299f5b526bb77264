"""Changed inputs: noise, missing cells, and the changes that raise the loss most.

All sizes are in standard deviations of the inputs, as the tree's scaler has them; a tree without a scaler counts in
units of its inputs. Rows are those of features, after the encoding of columns.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import scaler_of
from neuraltree.compress.node_values import scaled_rows
from neuraltree.compress.pruning.edge_slopes import Passed, passed
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.robustness.input_gradient import input_gradient
from neuraltree.robustness.radii import checked_radii
from neuraltree.tasks.links import class_outputs
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tree.tree import Inputs, Tree

STRIDE = 2.5  # a step of ``pgd`` is this share of the radius over the number of steps (Madry et al. 2018, section 5)


def noisy(tree: Tree, X: Inputs, sd: float, rng: np.random.Generator) -> FloatArray:
    """(rows, features) raw rows with Gaussian noise of ``sd``, one or (rows,), standard deviations of each input."""
    rows = scaled_rows(tree, X)
    sizes = np.reshape(checked_radii(sd, len(rows), "sd"), (-1, 1))
    return scaler_of(tree).inverse(rows + rng.normal(0.0, sizes, size=rows.shape))


def without_inputs(tree: Tree, X: Inputs, share: float, rng: np.random.Generator) -> FloatArray:
    """(rows, features) raw rows in which each cell is lost with the probability ``share``: its mean over the training
    rows stands in for it, as for a missing number of a table. ``ValueError`` for a share out of 0 to 1."""
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; it is a probability, from 0 to 1")
    rows = scaled_rows(tree, X)
    return scaler_of(tree).inverse(np.where(rng.random(rows.shape) < share, 0.0, rows))


def fgsm(tree: Tree, X: Inputs, y: ArrayLike, radius: float | FloatArray) -> FloatArray:
    """(rows, features) raw rows moved by ``radius``, one or (rows,), along the signs of the derivatives of the loss.

    Goodfellow et al. (2015), https://arxiv.org/abs/1412.6572, section 4. ``y``: labels (rows,) or target values as
    ``lesson_of`` takes them, and errors as there; ``ValueError`` for a radius below 0 too.
    """
    lesson = lesson_of(tree, X, y)
    sizes = np.reshape(checked_radii(radius, len(lesson.inputs)), (-1, 1))
    slope = input_gradient(passed(tree.nodes, lesson))
    return scaler_of(tree).inverse(lesson.inputs + sizes * np.sign(slope))


def pgd(
    tree: Tree,
    X: Inputs,
    y: ArrayLike,
    radius: float | FloatArray,
    *,
    steps: int = 10,
    rng: np.random.Generator | None = None,
) -> FloatArray:
    """(rows, features) the worst raw rows on a way of ``steps`` steps along the signs of the derivatives.

    Madry et al. (2018), https://arxiv.org/abs/1706.06083. Each step is clipped to the box of ``radius``, one or
    (rows,), about the row. The way begins at the row, or with ``rng`` anywhere in the box. The worst row is the one
    whose true class is furthest behind another, or whose error is the largest. ``y`` and errors: as for ``fgsm``.
    """
    lesson = lesson_of(tree, X, y)
    if steps < 1:
        raise ValueError(f"steps is {steps!r}; it is a whole number of 1 or more")
    around, radius = lesson.inputs, np.reshape(checked_radii(radius, len(lesson.inputs)), (-1, 1))
    now = around if rng is None else around + radius * rng.uniform(-1.0, 1.0, size=around.shape)
    worst, most = around, np.full(len(around), -np.inf)
    for step in range(steps + 1):
        here = passed(tree.nodes, replace(lesson, inputs=now))
        harm = _harm(tree, here)
        worst, most = np.where((harm > most)[:, None], now, worst), np.fmax(harm, most)
        if step < steps:
            moved = now + STRIDE / steps * radius * np.sign(input_gradient(here))
            now = np.clip(moved, around - radius, around + radius)
    return scaler_of(tree).inverse(worst)


def _harm(tree: Tree, here: Passed) -> FloatArray:
    """(rows,) by how much another class is ahead of the true one; of a regression the loss.

    A threshold of two classes adds the same to all points of a row's way, so it changes no order.
    """
    outputs, lesson = here.values[here.outputs], here.lesson
    if tree.classes is None:
        loss, level = loss_and_level(lesson.loss)
        found: FloatArray = LOSSES[loss].value(outputs, lesson.targets.T, level)
        return found
    each = class_outputs(outputs.T)
    own = _class_codes(lesson)[:, None] == np.arange(each.shape[1])
    return np.where(own, -np.inf, each).max(axis=1) - each[own]


def _class_codes(lesson: Lesson) -> NDArray[np.int64]:
    """(rows,) the classes that encoded targets stand for."""
    several = lesson.targets.shape[1] > 1
    found = lesson.targets.argmax(axis=1) if several else lesson.targets[:, 0] > 0.5
    return np.asarray(found, dtype=np.int64)
