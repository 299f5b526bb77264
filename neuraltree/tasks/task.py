"""The tasks (regression, binary, multiclass): the outputs, output activation and loss of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Task(NamedTuple):
    """The meaning of a tree's outputs, and the loss that they are trained on."""

    kind: str  # regression | binary | multiclass
    n_outputs: int
    output_activation: str
    loss: str


# By kind and output activation: the name of the training loss.
LOSS_OF: dict[tuple[str, str], str] = {
    ("regression", "identity"): "squared",
    ("binary", "identity"): "logistic",
    ("multiclass", "identity"): "softmax",
    ("multiclass", "sigmoid"): "squared",
}


def make_task(kind: str, n_classes: int = 0, loss: str = "auto", n_targets: int = 1) -> Task:
    """The task of a table. ``loss`` "auto" is squared error for regression, cross-entropy for classes.

    A regression has one output for each of ``n_targets``, and its loss is the sum over the outputs.
    "squared" with classes is the form in the sources: one sigmoid output per class, even for two classes.
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

    ``target`` is (rows,) or, for a regression, (rows, targets). Raises ``ValueError`` if the number of
    targets is not the task's.
    """
    if task.kind != "regression" and task.n_outputs > 1:
        return np.eye(task.n_outputs)[np.asarray(target, dtype=np.int64)]
    values = np.asarray(target, dtype=np.float64)
    columns = values[:, None] if values.ndim == 1 else values
    if columns.shape[1:] != (task.n_outputs,):
        raise ValueError(f"target has shape {values.shape}; the task has {task.n_outputs} target(s), one column each")
    return columns
