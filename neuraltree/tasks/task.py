"""The tasks (regression, binary, multiclass): the outputs, output activation and loss of each."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tasks.losses import AT_LEVEL, LEVEL


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


# By kind of target: the losses that a user can choose.
CHOICES: dict[str, tuple[str, ...]] = {
    "regression": ("auto", "squared", "huber", *(f"{name}_LEVEL" for name in AT_LEVEL)),
    "classes": ("auto", "cross_entropy", "squared"),
}


def make_task(kind: str, n_classes: int = 0, loss: str = "auto", n_targets: int = 1) -> Task:
    """The task of a table. ``loss`` "auto" is squared error for regression, cross-entropy for classes.

    A regression has one output for each of ``n_targets``, and its loss is the sum over the outputs.
    "squared" with classes is the form in the sources: one sigmoid output per class, even for two classes.
    Raises ``ValueError`` for a loss that there is not for the kind.
    """
    check_loss(loss, "regression" if kind == "regression" else "classes")
    output_activation = "identity"
    if kind == "regression":
        return Task(kind, n_targets, output_activation, "squared" if loss == "auto" else loss)
    if loss == "squared":
        kind, n_outputs, output_activation = "multiclass", n_classes, "sigmoid"
    else:
        n_outputs = 1 if kind == "binary" else n_classes
    return Task(kind, n_outputs, output_activation, LOSS_OF[kind, output_activation])


def check_loss(loss: str, kind: str = "") -> None:
    """``ValueError`` if ``loss`` is none of the losses of ``kind``, a key of ``CHOICES``, or of any kind."""
    allowed = CHOICES[kind] if kind else tuple(dict.fromkeys(chain(*CHOICES.values())))
    stem, _, level = str(loss).rpartition("_")
    if loss in allowed or (f"{stem}_LEVEL" in allowed and LEVEL.fullmatch(level)):
        return
    whose = f" of {kind}" * bool(kind)
    raise ValueError(
        f"{loss!r} is none of the losses{whose}: {', '.join(allowed)}"
        + ", where LEVEL is a quantile between 0 and 1, as in pinball_0.9" * (kind != "classes")
    )


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
