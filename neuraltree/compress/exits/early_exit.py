"""The class of an 8-bit tree as soon as the rest of the tree cannot change it: always the same class.

Inputs are clamped to 8 bits, so interval arithmetic bounds what each child of an output can add. The children are
computed one after the other, in a fixed order, until a single class is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.exits.certainty import certain
from neuraltree.compress.exits.checkpoints import checkpoints
from neuraltree.compress.exits.exit_order import ordered
from neuraltree.compress.exits.output_terms import Term, costs_of
from neuraltree.compress.int8.integer_tree import IntegerTree, input_range
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.tree.labels import label_array
from neuraltree.tree.nodes import IntArray

# Instructions of a look at the bounds: for a single score, and for each of several.
ONE_SCORE, EACH_SCORE = 6, 22
TYPICAL_ROWS = 1000


class Exits(NamedTuple):
    """``codes`` (rows,): positions of the classes; ``terms`` (rows,): how many of the terms were computed."""

    codes: IntArray
    terms: IntArray


@dataclass(frozen=True, eq=False)
class EarlyExit:
    """``terms`` in the order in which they are computed; ``checks``: after how many of them the class may be certain.

    ``tree`` has classes.
    """

    tree: IntegerTree
    terms: tuple[Term, ...]
    checks: tuple[int, ...]

    @cached_property
    def rest(self) -> IntArray:
        """(terms + 1, outputs, 2) the least and the most that is still to be added after each number of terms."""
        found = np.zeros((len(self.terms) + 1, self.tree.source.num_outputs, 2), dtype=np.int64)
        for n in range(len(self.terms) - 1, -1, -1):
            term = self.terms[n]
            found[n] = found[n + 1]
            found[n, term.output] += term.low, term.high
        return found

    @property
    def macs(self) -> IntArray:
        """(terms + 1,) multiply-accumulates, which is edges, of the first terms."""
        return np.cumsum([0, *(term.edges for term in self.terms)])

    @property
    def inputs_read(self) -> IntArray:
        """(terms + 1,) inputs that the first terms read."""
        known: set[int] = set()
        return np.array([0, *(len(known := known | term.features) for term in self.terms)])

    def __call__(self, q: NDArray[np.int8]) -> Exits:
        """Stop each row of quantised inputs (rows, used inputs) at its first check at which its class is certain."""
        added = self.tree.terms(q)
        top = self.tree.nodes["depth"] == 0
        sums = np.repeat(self.tree.numbers.bias[top][None], len(q), axis=0)
        count = len(self.terms)
        codes, stop = np.full(len(q), -1), np.full(len(q), count)
        for n in range(count + 1):
            if n in self.checks or n == count:
                certainly = certain(self.tree, sums + self.rest[n, :, 0], sums + self.rest[n, :, 1])
                found = np.where(codes < 0, certainly, -1)
                codes, stop = np.where(found >= 0, found, codes), np.where(found >= 0, n, stop)
            if n < count:
                sums[:, self.terms[n].output] += added[self.terms[n].node]
        return Exits(codes, stop)

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) class labels for raw inputs (rows, features); the same as those of the tree."""
        return label_array(self.tree.source.classes or ())[self(self.tree.quantize(X)).codes]

    def mean_macs(self, X: ArrayLike) -> float:
        """Multiply-accumulates per row, the mean over raw inputs (rows, features)."""
        return float(self.macs[self(self.tree.quantize(X)).terms].mean())


def early_exit_of(tree: IntegerTree) -> EarlyExit:
    """The order and the checks for a classifier in integers; ``ValueError`` for a regression.

    They make only the cost: checks are where typical rows gain by them, which are standard normal in standardised
    inputs, so that no data is needed.
    """
    if tree.source.classes is None:
        raise ValueError("early exit is for classes, which can be certain before all is computed; this is a regression")
    q = typical_rows(tree)
    terms = tuple(ordered(tree, q))
    outputs = tree.source.num_outputs
    everywhere = EarlyExit(tree, terms, tuple(range(len(terms))))
    decided = everywhere(q).terms
    check = ONE_SCORE if outputs == 1 else EACH_SCORE * outputs
    return EarlyExit(tree, terms, checkpoints(decided, costs_of(tree, terms), check))


def typical_rows(tree: IntegerTree) -> NDArray[np.int8]:
    """(1000, used) quantised inputs that are standard normal in standardised units."""
    source, used = tree.source, tree.inputs.features
    middle = 0 if source.input_middle is None else source.input_middle[used]
    z = np.random.default_rng(0).normal(size=(TYPICAL_ROWS, len(used)))
    return np.clip(np.rint((z - middle) / input_range(source)[used] * UNIT), -UNIT, UNIT).astype(np.int8)
