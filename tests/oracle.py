"""A tree evaluated the plain way: one row, by recursion, with ``math`` only. The specification of every other way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def sigmoid(s: float) -> float:
    return 1 / (1 + math.exp(-s)) if s >= 0 else 1 - 1 / (1 + math.exp(s))


# By activation code: sigmoid, tanh, Gaussian, ReLU, sine, identity.
FUNCTIONS = (
    sigmoid,
    math.tanh,
    lambda s: math.exp(-s * s),
    lambda s: max(s, 0.0),
    math.sin,
    lambda s: s,
)


def evaluate_recursive(nodes: Any, x: Sequence[float], fold: int = 0) -> list[float]:
    """The values of the output nodes for one row ``x`` of inputs."""
    outputs, at = [], 0
    while at < len(nodes):
        value, at = _evaluate(nodes, at, x, fold)
        outputs.append(value)
    return outputs


def _evaluate(nodes: Any, at: int, x: Sequence[float], fold: int) -> tuple[float, int]:
    """The value of the node at ``at``, and where its subtree ends."""
    depth, op = int(nodes["depth"][at]), int(nodes["op"][at])
    if op >= 0:
        return float(x[op]), at + 1
    total, child = float(nodes["bias"][at][fold]), at + 1
    while child < len(nodes) and nodes["depth"][child] > depth:
        weight = float(nodes["weight"][child][fold])
        value, child = _evaluate(nodes, child, x, fold)
        total += weight * value
    return FUNCTIONS[~op](total), child
