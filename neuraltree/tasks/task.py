"""Regression, binary, multiclass: outputs, output activation and loss of each, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray


class Loss(NamedTuple):
    """A training loss of outputs (trees, outputs, batch) against targets (trees or 1, outputs, batch).

    ``value`` gives (trees, batch); ``gradient`` its derivative by the outputs, (trees, outputs, batch).
    """

    value: Callable[[jax.Array, jax.Array], jax.Array]
    gradient: Callable[[jax.Array, jax.Array], jax.Array]


LOSSES: dict[str, Loss] = {
    # Half the squared error summed over outputs, as the sources' delta rule has it.
    "squared": Loss(lambda z, y: 0.5 * jnp.sum(jnp.square(z - y), axis=1), lambda z, y: z - y),
    "logistic": Loss(lambda z, y: jnp.sum(jax.nn.softplus(z) - y * z, axis=1), lambda z, y: jax.nn.sigmoid(z) - y),
    "softmax": Loss(
        lambda z, y: jax.nn.logsumexp(z, axis=1) - jnp.sum(y * z, axis=1),
        lambda z, y: jax.nn.softmax(z, axis=1) - y,
    ),
}


class Task(NamedTuple):
    """What the outputs of a tree mean, and the loss they are trained on."""

    kind: str  # regression | binary | multiclass
    n_outputs: int
    output_activation: str
    loss: str


def make_task(kind: str, n_classes: int = 0, loss: str = "auto", n_targets: int = 1) -> Task:
    """The task of a table. ``loss`` "auto" is squared error for regression, cross-entropy for classes.

    A regression has an output for each of ``n_targets``, and its loss is their sum.
    "squared" with classes is the sources' form: one sigmoid output per class, even for two.
    Raises ``ValueError`` for cross-entropy on a regression target.
    """
    if kind == "regression":
        if loss == "cross_entropy":
            raise ValueError('loss "cross_entropy" needs classes; a regression target is trained on "squared"')
        return Task(kind, n_targets, "identity", "squared")
    if loss == "squared":
        return Task("multiclass", n_classes, "sigmoid", "squared")
    if kind == "binary":
        return Task(kind, 1, "identity", "logistic")
    return Task(kind, n_classes, "identity", "softmax")


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
