"""An early exit cut into stretches of code that a row computes whole or not at all."""

from __future__ import annotations

from typing import NamedTuple

from neuraltree.tree.nodes import Nodes


class Stretch(NamedTuple):
    """``spans``: first and last + 1 of the nodes that it computes; ``inputs``: features that it reads beside them;
    ``share``: of the rows that compute it."""

    spans: list[tuple[int, int]]
    inputs: tuple[int, ...]
    share: float


class Walk(NamedTuple):
    """How far rows go in a tree in integers, whose ``nodes`` are those that are not dead: the ``stretches`` in the
    order of the code, at how many places it ``looks`` whether an output is decided, and how often a row does."""

    nodes: Nodes
    stretches: list[Stretch]
    looks: int
    mean_looks: float
