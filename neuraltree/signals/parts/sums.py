"""Sums over a window."""

import numpy as np

from neuraltree.signals.parts.part import Block, Part, Window
from neuraltree.tree.nodes import IntArray

SUM = Part("sum", "Σ x", lambda w: w.x.sum(axis=1), block=Block("0", "a += x;", "add"))
SQUARES = Part(
    "squares",
    "Σ x²",
    lambda w: np.einsum("ij,ij->i", w.x, w.x),
    c_type="int64_t",
    block=Block("0", "a += (int64_t)x * x;", "add"),
)
ABSOLUTES = Part(
    "absolutes", "Σ |x|", lambda w: np.abs(w.x).sum(axis=1), block=Block("0", "a += x < 0 ? -x : x;", "add")
)


def _products(w: Window) -> IntArray:
    assert w.y is not None, "a part of a pair"
    return np.einsum("ij,ij->i", w.x, w.y)


PRODUCTS = Part(
    "products",
    "Σ x y of two streams",
    _products,
    c_type="int64_t",
    block=Block("0", "a += (int64_t)x * y;", "add"),
    pair=True,
)
