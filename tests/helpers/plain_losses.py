"""Trees and losses by plain recursion over single numbers, independent of the package."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

VALUES: list[Callable[[float], float]] = [
    lambda s: 1 / (1 + math.exp(-s)),
    math.tanh,
    lambda s: math.exp(-s * s),
    lambda s: max(s, 0.0),
    math.sin,
    lambda s: s,
    lambda s: min(max(s, -1.0), 1.0),
    lambda s: 1.0 if s >= 0 else -1.0,
]


def children(nodes: Any, i: int) -> list[int]:
    found = []
    for j in range(i + 1, len(nodes)):
        if nodes["depth"][j] <= nodes["depth"][i]:
            break
        if nodes["depth"][j] == nodes["depth"][i] + 1:
            found.append(j)
    return found


def value(nodes: Any, i: int, x: Sequence[float], without: dict[int, float] | None = None) -> float:
    """The value of node ``i``; the edges above the nodes in ``without`` are cut, and these numbers stand for them."""
    op = int(nodes["op"][i])
    if op >= 0:
        return float(x[op])
    total = float(nodes["bias"][i, 0])
    for j in children(nodes, i):
        carried = (without or {}).get(j)
        total += float(nodes["weight"][j, 0]) * (value(nodes, j, x, without) if carried is None else carried)
    return VALUES[~op](total)


def loss(name: str, outputs: Sequence[float], targets: Sequence[float]) -> float:
    if name == "squared":
        return sum((z - y) ** 2 for z, y in zip(outputs, targets, strict=True)) / 2
    if name == "logistic":
        return sum(math.log(1 + math.exp(z)) - y * z for z, y in zip(outputs, targets, strict=True))
    return math.log(sum(map(math.exp, outputs))) - sum(y * z for z, y in zip(outputs, targets, strict=True))


def mean_loss(nodes: Any, rows: Any, targets: Any, name: str, without: dict[int, float] | None = None) -> float:
    tops = [i for i in range(len(nodes)) if nodes["depth"][i] == 0]
    each = [
        loss(name, [value(nodes, i, x, without) for i in tops], list(y)) for x, y in zip(rows, targets, strict=True)
    ]
    return sum(each) / len(each)
