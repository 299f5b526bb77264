"""The class of an 8-bit tree as soon as the rest of the tree cannot change it: always the same class.

Inputs are clamped to 8 bits, so interval arithmetic bounds what each child of an output can add. The children of an
output are computed one after the other, in a fixed order. With one output that ends when its score can no longer cross
the threshold. Of several outputs the first is computed whole, and each other one until its score can no longer be above
the best so far (branch and bound).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.exits.certainty import Decided, beaten, one_side, score_of
from neuraltree.compress.exits.checkpoints import checkpoints
from neuraltree.compress.exits.output_terms import Term, instructions, ordered, read_costs, terms_of
from neuraltree.compress.exits.stretches import Stretch, Walk
from neuraltree.compress.int8.integer_tree import IntegerTree, input_range
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.tree.labels import label_array
from neuraltree.tree.nodes import IntArray, subtree_end

# Instructions of a look at the bounds on an emulated Cortex-M0+: of a single score, and of one of several.
ONE_SCORE, OF_SEVERAL = 6, 11
TYPICAL_ROWS = 200
LOWEST = -(2**40)  # below every score
Added = Mapping[int, NDArray[np.integer]]  # what each term adds (rows,), see ``IntegerTree.terms``


class Exits(NamedTuple):
    """``codes`` (rows,): positions of the classes; ``terms`` (rows, parts): how many of each part were computed."""

    codes: IntArray
    terms: IntArray


@dataclass(frozen=True)
class Part:
    """The terms of one output in the order in which they are computed. ``checks``: after how many of them the output
    may be decided. ``ahead``: inputs that are read before the first of them, since later parts read them too."""

    output: int
    terms: tuple[Term, ...]
    checks: tuple[int, ...] = ()
    ahead: frozenset[int] = frozenset()

    @property
    def rest(self) -> IntArray:
        """(terms + 1, 2) the least and the most that is still to be added after each number of terms."""
        ends = np.array([(term.low, term.high) for term in self.terms], dtype=np.int64).reshape(-1, 2)
        return np.concatenate([np.cumsum(ends[::-1], axis=0)[::-1], np.zeros((1, 2), dtype=np.int64)])

    @property
    def macs(self) -> IntArray:
        """(terms + 1,) multiply-accumulates, which is edges, of the first terms."""
        return np.cumsum([0, *(term.edges for term in self.terms)])


@dataclass(frozen=True, eq=False)
class EarlyExit:
    """The ``parts`` in the order in which they are computed; the first of several has no checks. A tree of classes."""

    tree: IntegerTree
    parts: tuple[Part, ...]

    @property
    def looks(self) -> int:
        """The number of places that look whether an output is decided; 0 if that never pays."""
        return sum(len(part.checks) for part in self.parts)

    @property
    def most_macs(self) -> int:
        """Multiply-accumulates of a row that never stops."""
        return sum(int(part.macs[-1]) for part in self.parts)

    def __call__(self, q: NDArray[np.int8]) -> Exits:
        """Each row of quantised inputs (rows, used inputs) stops each part at the first check where it is decided."""
        added = self.tree.terms(q)
        if self.tree.source.num_outputs == 1:
            (part,) = self.parts
            stop, low, _ = _stopped(self.tree, part, added, one_side(self.tree), len(q))
            return Exits((low > self.tree.score_threshold).astype(np.int64), stop[:, None])
        best, least, stops = np.full(len(q), -1), np.full(len(q), LOWEST), []
        for part in self.parts:
            limit = least - (best > part.output)
            stop, _, high = _stopped(self.tree, part, added, beaten(self.tree, part.output, limit), len(q))
            best, least = _better(self.tree, part.output, high, (best, least))
            stops.append(stop)
        return Exits(best, np.column_stack(stops))

    def macs(self, terms: IntArray) -> IntArray:
        """(rows,) multiply-accumulates of rows that compute so many ``terms`` (rows, parts)."""
        return np.sum([part.macs[n] for part, n in zip(self.parts, terms.T, strict=True)], axis=0)

    def inputs_read(self, terms: IntArray) -> IntArray:
        """(rows,) inputs that rows read which compute so many ``terms`` (rows, parts)."""
        found, known = np.zeros(len(terms), dtype=np.int64), frozenset[int]()
        for part, n in zip(self.parts, terms.T, strict=True):
            known |= part.ahead
            new, seen = [len(part.ahead)], known
            for term in part.terms:
                new.append(len(term.features - seen))
                seen |= term.features
            found += np.cumsum(new)[n]
            known = seen
        return found

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) class labels for raw inputs (rows, features); the same as those of the tree."""
        return label_array(self.tree.source.classes or ())[self(self.tree.quantize(X)).codes]

    def mean_macs(self, X: ArrayLike) -> float:
        """Multiply-accumulates per row, the mean over raw inputs (rows, features)."""
        return float(self.macs(self(self.tree.quantize(X)).terms).mean())


def early_exit_of(tree: IntegerTree) -> EarlyExit:
    """The order and the checks for a classifier in integers; ``ValueError`` for a regression.

    They make only the cost: checks are where typical rows gain by them, which are standard normal in standardised
    inputs, so that no data is needed.
    """
    if tree.source.classes is None:
        raise ValueError(
            "early exit is for classes, which can be certain before all is computed; this is a regression: leave it out"
        )
    added, reads = tree.terms(typical_rows(tree)), read_costs(tree.inputs)
    by_output = _by_output(tree)
    if len(by_output) == 1:
        order = ordered(by_output[0], reads)
        checks = _checks(order, _sums(tree, 0, order, added), one_side(tree), (reads, ONE_SCORE))
        return EarlyExit(tree, (Part(0, tuple(order), checks),))
    return EarlyExit(tree, tuple(_contest(tree, by_output, added, reads)))


def _contest(tree: IntegerTree, by_output: Sequence[list[Term]], added: Added, reads: IntArray) -> Iterator[Part]:
    """The parts of several outputs, first those that win most of the rows."""
    scores = np.column_stack([score_of(tree, k, _sums(tree, k, own, added)[-1]) for k, own in enumerate(by_output)])
    order = np.argsort(-np.bincount(scores.argmax(axis=1), minlength=len(by_output)), kind="stable").tolist()
    features = [frozenset[int]().union(*(term.features for term in by_output[k])) for k in order]
    best, least, known = np.full(TYPICAL_ROWS, -1), np.full(TYPICAL_ROWS, LOWEST), frozenset[int]()
    for place, k in enumerate(order):
        later = frozenset[int]().union(*features[place + 1 :])
        free = reads.copy()
        free[list(known | later)] = 0
        terms = ordered(by_output[k], free)
        sums = _sums(tree, k, terms, added)
        rule = beaten(tree, k, least - (best > k))
        checks = _checks(terms, sums, rule, (free, OF_SEVERAL)) if place else ()
        yield Part(k, tuple(terms), checks, features[place] & later - known)
        known |= features[place]
        best, least = _better(tree, k, sums[-1], (best, least))


def _sums(tree: IntegerTree, output: int, terms: Sequence[Term], added: Added) -> IntArray:
    """(terms + 1, rows) the sum of an output after each number of terms."""
    start = np.full(TYPICAL_ROWS, tree.numbers.bias[tree.nodes["depth"] == 0][output])
    return np.cumsum([start, *(added[term.node] for term in terms)], axis=0)


def _by_output(tree: IntegerTree) -> list[list[Term]]:
    found: list[list[Term]] = [[] for _ in range(tree.source.num_outputs)]
    for term in terms_of(tree):
        found[term.output].append(term)
    return found


def _better(
    tree: IntegerTree, output: int, high: IntArray, so_far: tuple[IntArray, IntArray]
) -> tuple[IntArray, IntArray]:
    """The best outputs and their scores (rows,) after one more, whose sums are at most ``high`` (rows,); of equal
    scores the earlier class wins."""
    best, least = so_far
    score = score_of(tree, output, high)
    wins = score > least - (best > output)
    return np.where(wins, output, best), np.where(wins, score, least)


def _checks(terms: Sequence[Term], sums: IntArray, decided: Decided, costs: tuple[IntArray, int]) -> tuple[int, ...]:
    """The checks of least cost; ``sums`` (terms + 1, rows), see ``_sums``; ``costs``: instructions of reading each
    input, and of a check."""
    rest = Part(0, tuple(terms)).rest[:-1, :, None]
    early = decided(sums[:-1] + rest[:, 0], sums[:-1] + rest[:, 1])  # a row that is decided stays so
    return checkpoints(len(terms) - np.count_nonzero(early, axis=0), instructions(terms, costs[0]), costs[1])


def _stopped(
    tree: IntegerTree, part: Part, added: Added, decided: Decided, rows: int
) -> tuple[IntArray, IntArray, IntArray]:
    """(rows,) the number of terms computed, and the least and the most that the sum can then be."""
    count, rest = len(part.terms), part.rest
    sums = np.full(rows, tree.numbers.bias[tree.nodes["depth"] == 0][part.output])
    stop, low, high = np.full(rows, -1), sums, sums
    for n in range(count + 1):
        if n in part.checks or n == count:
            ends = sums + rest[n, 0], sums + rest[n, 1]
            now = (stop < 0) & (decided(*ends) if n < count else True)
            stop = np.where(now, n, stop)
            low, high = (np.where(now, end, known) for end, known in zip(ends, (low, high), strict=True))
        if n < count:
            sums = sums + added[part.terms[n].node]
    return stop, low, high


def typical_rows(tree: IntegerTree) -> NDArray[np.int8]:
    """(200, used) quantised inputs that are standard normal in standardised units."""
    source, used = tree.source, tree.inputs.features
    middle = 0 if source.input_middle is None else source.input_middle[used]
    z = np.random.default_rng(0).normal(size=(TYPICAL_ROWS, len(used)))
    return np.clip(np.rint((z - middle) / input_range(source)[used] * UNIT), -UNIT, UNIT).astype(np.int8)


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
