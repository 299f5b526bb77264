"""An early exit cut into stretches of code that a row computes whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.tree.nodes import IntArray, subtree_end

if TYPE_CHECKING:
    from neuraltree.compress.exits.early_exit import EarlyExit


class Stretch(NamedTuple):
    """``nodes``: positions in the tree of what it computes; ``inputs``: positions among the used inputs of those that
    it reads beside them; ``share``: of the rows that compute it."""

    nodes: IntArray
    inputs: tuple[int, ...]
    share: float


def stretches(exits: EarlyExit, terms: IntArray) -> list[Stretch]:
    """In the order of the code, for rows that compute so many ``terms`` (rows, parts), see ``Exits``."""
    depth, found = exits.tree.nodes["depth"], list[Stretch]()
    for part, stop in zip(exits.parts, terms.T, strict=True):
        if part.checks and part.ahead:
            found.append(Stretch(np.zeros(0, dtype=np.int64), tuple(sorted(part.ahead)), 1.0))
        begins = [0, *(n for n in part.checks if n)]
        for first, last in zip(begins, [*begins[1:], len(part.terms)], strict=True):
            own = [np.arange(term.node, subtree_end(depth, term.node)) for term in part.terms[first:last]]
            # A part is left after no terms at all only if there is a check before them.
            share = 1.0 if not first and 0 not in part.checks else float((stop > first).mean())
            found.append(Stretch(np.concatenate([np.zeros(0, dtype=np.int64), *own]), (), share))
    return found


def mean_looks(exits: EarlyExit, terms: IntArray) -> float:
    """How often a row looks whether an output is decided, the mean over rows as in ``stretches``."""
    reached = [(stop >= n).mean() for part, stop in zip(exits.parts, terms.T, strict=True) for n in part.checks]
    return float(sum(reached))
