"""The rows that a pruning looks at, in the form of the tree's own training."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.losing import MOST_ROWS, spread_rows
from neuraltree.compress.node_values import forward, scaled_rows
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import LOSS_OF, Task, encode, make_task
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Inputs, Tree

TAUGHT = 0.5  # the share of the whole tree in what its cuts learn
MEANS = ("squared", "logistic", "softmax")  # the losses whose outputs expect means


@dataclass(frozen=True)
class Lesson:
    """Scaled ``inputs`` (rows, features), encoded ``targets`` (rows, outputs), and ``weight`` (rows,) of mean 1."""

    inputs: FloatArray
    targets: FloatArray
    weight: FloatArray
    loss: str

    def sample(self, most: int = MOST_ROWS) -> Lesson:
        """At most ``most`` of the rows, evenly spread: scores of edges need no more."""
        rows = spread_rows(len(self.inputs), most)
        weight = self.weight[rows]
        return Lesson(self.inputs[rows], self.targets[rows], weight / weight.mean(), self.loss)


def lesson_of(tree: Tree, X: Inputs, y: ArrayLike, weight: ArrayLike | None = None, loss: str = "auto") -> Lesson:
    """The lesson of raw inputs ``X`` (rows, features), and of labels (rows,) or target values ``y`` (rows,) or (rows,
    targets).

    ``loss``: that of a regression, as in ``tasks.task.CHOICES``; that of classes follows from the outputs.
    ``ValueError`` if they do not fit the tree, a label is none of its classes, or a number is not finite.
    """
    rows, y = scaled_rows(tree, X), np.asarray(y)
    if len(y) != len(rows):
        raise ValueError(f"X has shape {rows.shape} and y {y.shape}; the tree needs a target for each row")
    counts = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=np.float64)
    target = _target(tree, y)
    for name, part in (("y", target), ("weight", counts)):
        if not np.isfinite(part).all():
            raise ValueError(f"{name} holds a number that is not finite; leave these rows out")
    if counts.shape != (len(rows),) or counts.min() < 0 or not counts.any():
        raise ValueError(
            f"weight has shape {counts.shape} and the least {counts.min(initial=0):g}; it is a number of 0 or more for "
            f"each of the {len(rows)} rows, and above 0 for one of them"
        )
    task = _task(tree, loss)
    return Lesson(rows, encode(task, target), counts / counts.mean(), task.loss)


def taught_by(lesson: Lesson, nodes: Nodes) -> Lesson:
    """The lesson with targets of which what a tree expects on its rows, probabilities or values, is a half.

    ``ValueError`` for a loss of other values than means.
    """
    if lesson.loss not in MEANS:
        raise ValueError(
            f"a tree that is trained by the loss {lesson.loss} predicts no means, which alone can be taught; leave out "
            "teach"
        )
    outputs = forward(nodes, lesson.inputs)[1][nodes["depth"] == 0]
    said = LOSSES[lesson.loss].expected(outputs).T
    return replace(lesson, targets=(1 - TAUGHT) * lesson.targets + TAUGHT * said)


def _task(tree: Tree, loss: str) -> Task:
    activation = tree.output_activation
    own = LOSS_OF.get((tree.kind, activation))
    if own is None:
        raise ValueError(f"a {tree.kind} tree whose outputs are {activation} has no training loss, so it is not pruned")
    if loss == "auto":
        return Task(tree.kind, tree.num_outputs, activation, own)
    if tree.kind != "regression":
        raise ValueError(f"loss={loss!r} is for a regression; that of classes follows from the outputs: leave it out")
    return make_task(tree.kind, loss=loss, n_targets=tree.num_outputs)


def _target(tree: Tree, y: NDArray) -> FloatArray:
    if tree.classes is None:
        values = np.asarray(y, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if values.shape[1:] != (tree.num_outputs,):
            raise ValueError(f"y has shape {y.shape}; the tree has {tree.num_outputs} target(s), one column each")
        return values if tree.target_scaler is None else tree.target_scaler.transform(values)
    code = {label: place for place, label in enumerate(tree.classes)}
    unknown = [label for label in np.unique(y).tolist() if label not in code]
    if unknown:
        raise ValueError(f"y holds {unknown[0]!r}, which is none of the tree's classes: {', '.join(map(repr, code))}")
    return np.array([code[label] for label in y.tolist()], dtype=np.float64)
