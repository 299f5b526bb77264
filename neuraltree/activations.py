"""The activation functions: one table, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Activation(NamedTuple):
    """One activation function.

    ``value(s)`` and ``derivative(s, h)`` are elementwise, where ``s`` is the
    weighted sum entering a node and ``h = value(s)``. ``c_text`` is a C99
    expression in ``s``; ``bounds`` is the closed range of ``h``.
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    c_text: str
    bounds: tuple[float, float]


def _sigmoid(s: Array) -> Array:
    # exp of a non-positive number never overflows.
    decay = np.exp(-np.abs(s))
    return np.where(s < 0, decay, 1.0) / (1.0 + decay)


INF = float("inf")

# The position of a row is its code in the node record: append, never reorder.
ACTIVATIONS: tuple[Activation, ...] = (
    Activation("sigmoid", _sigmoid, lambda s, h: h * (1 - h), "1.0f / (1.0f + expf(-s))", (0, 1)),
    Activation("tanh", np.tanh, lambda s, h: 1 - h * h, "tanhf(s)", (-1, 1)),
    Activation("gaussian", lambda s: np.exp(-s * s), lambda s, h: -2 * s * h, "expf(-s * s)", (0, 1)),
    Activation("relu", lambda s: np.maximum(s, 0), lambda s, h: (s > 0) * 1.0, "s > 0 ? s : 0", (0, INF)),
    Activation("sine", np.sin, lambda s, h: np.cos(s), "sinf(s)", (-1, 1)),
    Activation("identity", lambda s: s, lambda s, h: np.ones_like(s), "s", (-INF, INF)),
)

# The sources define the Fermi function as the logistic sigmoid (Ojha & Nicosia), so it is the same kind.
ALIASES = {"fermi": "sigmoid"}

NAMES: tuple[str, ...] = tuple(row.name for row in ACTIVATIONS)


def code_of(name: str) -> int:
    """The code of an activation by name or alias; ``ValueError`` names what is allowed."""
    try:
        return NAMES.index(ALIASES.get(name, name))
    except ValueError:
        allowed = ", ".join((*NAMES, *ALIASES))
        raise ValueError(f"unknown activation {name!r}; allowed: {allowed}") from None
