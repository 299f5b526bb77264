"""Sums over a window."""

from neuraltree.signals.parts.part import Block, Part

SUM = Part("sum", "Σ x", lambda w: w.x.sum(axis=1), block=Block("0", "a += x;", "add"))
SQUARES = Part(
    "squares",
    "Σ x²",
    lambda w: (w.x * w.x).sum(axis=1),
    c_type="int64_t",
    block=Block("0", "a += (int64_t)x * x;", "add"),
)
