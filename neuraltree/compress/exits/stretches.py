"""An early exit cut into stretches of code that a row computes whole or not at all."""

from __future__ import annotations

from typing import NamedTuple

from neuraltree.compress.exits.early_exit import EarlyExit
from neuraltree.tree.nodes import IntArray, Nodes, subtree_end


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


def walk_of(exits: EarlyExit, terms: IntArray) -> Walk:
    """For rows that compute so many ``terms`` (rows, parts), see ``Exits``."""
    reached = [(stop >= n).mean() for part, stop in zip(exits.parts, terms.T, strict=True) for n in part.checks]
    return Walk(exits.tree.nodes, _stretches(exits, terms), exits.looks, float(sum(reached)))


def _stretches(exits: EarlyExit, terms: IntArray) -> list[Stretch]:
    depth, features, found = exits.tree.nodes["depth"], exits.tree.inputs.features, list[Stretch]()
    for part, stop in zip(exits.parts, terms.T, strict=True):
        if part.checks and part.ahead:
            found.append(Stretch([], tuple(features[sorted(part.ahead)].tolist()), 1.0))
        begins = [0, *(n for n in part.checks if n)]
        for first, last in zip(begins, [*begins[1:], len(part.terms)], strict=True):
            own = [(term.node, subtree_end(depth, term.node)) for term in part.terms[first:last]]
            # A part is left after no terms at all only if there is a check before them.
            share = 1.0 if not first and 0 not in part.checks else float((stop > first).mean())
            found.append(Stretch(own, (), share))
    return found
