"""Regression, binary, multiclass: outputs, output activation and loss of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Task(NamedTuple):
    """What the outputs of a tree mean, and the loss they are trained on."""

    kind: str  # regression | binary | multiclass
    n_outputs: int
    output_activation: str
    loss: str


# By kind and output activation: the row of the table of losses that such trees are trained on.
LOSS_OF: dict[tuple[str, str], str] = {
    ("regression", "identity"): "squared",
    ("binary", "identity"): "logistic",
    ("multiclass", "identity"): "softmax",
    ("multiclass", "sigmoid"): "squared",
}


def make_task(kind: str, n_classes: int = 0, loss: str = "auto", n_targets: int = 1) -> Task:
    """The task of a table. ``loss`` "auto" is squared error for regression, cross-entropy for classes.

    A regression has an output for each of ``n_targets``, and its loss is their sum.
    "squared" with classes is the sources' form: one sigmoid output per class, even for two.
    Raises ``ValueError`` for cross-entropy on a regression target.
    """
    output_activation = "identity"
    if kind == "regression":
        if loss == "cross_entropy":
            raise ValueError('loss "cross_entropy" needs classes; a regression target is trained on "squared"')
        n_outputs = n_targets
    elif loss == "squared":
        kind, n_outputs, output_activation = "multiclass", n_classes, "sigmoid"
    else:
        n_outputs = 1 if kind == "binary" else n_classes
    return Task(kind, n_outputs, output_activation, LOSS_OF[kind, output_activation])


def encode(task: Task, target: NDArray) -> NDArray[np.float64]:
    """Targets as (rows, outputs): scaled values, 0/1 for two classes, one-hot for more.

    ``target`` is (rows,) or, for a regression, (rows, targets). Raises ``ValueError`` where they are not the task's.
    """
    if task.kind != "regression" and task.n_outputs > 1:
        return np.eye(task.n_outputs)[np.asarray(target, dtype=np.int64)]
    values = np.asarray(target, dtype=np.float64)
    columns = values[:, None] if values.ndim == 1 else values
    if columns.shape[1:] != (task.n_outputs,):
        raise ValueError(f"target has shape {values.shape}; the task has {task.n_outputs} target(s), one column each")
    return columns
