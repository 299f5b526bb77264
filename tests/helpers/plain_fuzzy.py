"""Fuzzy nodes and trees written as their definitions say, one number at a time; nothing of the package is imported.

A node is a dict of ``centre`` and ``width`` [input][set], ``coefficient`` [rule][constant, input...], and at type 2
``blur`` and ``spread``. A tree is the index of an input, or a pair of a node and its subtrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import exp, prod
from typing import Any

Node = dict[str, Any]

VALUES = {"bell": lambda t: 1 / (1 + t * t), "gaussian": lambda t: exp(-t * t / 2)}


def plain_node(node: Node, membership: str, x: Sequence[float]) -> float:
    """The output for the inputs ``x``."""
    rules = list(product((0, 1), repeat=len(x)))
    if "blur" not in node:
        strengths = [prod(_upper(node, membership, x, i, j) for i, j in enumerate(rule)) for rule in rules]
        values = [_value(c, x) for c in node["coefficient"]]
        return _mean(strengths, values)
    low, high = plain_ends(node, membership, x)
    return (low + high) / 2


def plain_ends(node: Node, membership: str, x: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest mean at type 2: every corner of the strengths and of the coefficients is tried."""
    rules = list(product((0, 1), repeat=len(x)))
    bounds = [
        [prod(bound(node, membership, x, i, j) for i, j in enumerate(rule)) for bound in (_lower, _upper)]
        for rule in rules
    ]
    ends = []
    for best in (min, max):
        values = [
            best(
                _value([c + sign * s for c, s, sign in zip(row, wide, signs, strict=True)], x)
                for signs in product((-1, 1), repeat=len(row))
            )
            for row, wide in zip(node["coefficient"], node["spread"], strict=True)
        ]
        ends.append(best(_mean(corner, values) for corner in product(*bounds)))
    return ends[0], ends[1]


def plain_tree(tree: Any, membership: str, x: Sequence[float]) -> float:
    if isinstance(tree, int):
        return x[tree]
    node, children = tree
    return plain_node(node, membership, [plain_tree(child, membership, x) for child in children])


def _upper(node: Node, membership: str, x: Sequence[float], i: int, j: int) -> float:
    """The greatest membership of a centre within the interval; at type 1 the membership itself."""
    a, b = node["centre"][i][j], node["width"][i][j]
    half = node["blur"][i][j] * b if "blur" in node else 0.0
    nearest = min(max(x[i], a - half), a + half)
    return VALUES[membership]((x[i] - nearest) / b)


def _lower(node: Node, membership: str, x: Sequence[float], i: int, j: int) -> float:
    a, b, half = node["centre"][i][j], node["width"][i][j], node["blur"][i][j] * node["width"][i][j]
    return min(VALUES[membership]((x[i] - end) / b) for end in (a - half, a + half))


def _value(coefficients: Sequence[float], x: Sequence[float]) -> float:
    return coefficients[0] + sum(c * each for c, each in zip(coefficients[1:], x, strict=True))


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
