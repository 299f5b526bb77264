"""A small 8-bit classifier before a large one, which is asked only where the small one is unsure.

The margin of a row is by how much its score can change before its class does: the distance to the threshold plus 1 for
the first class, or the best of several scores less the second. A score is not a probability, and needs no calibration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.tasks.links import class_codes
from neuraltree.tree.labels import label_array
from neuraltree.tree.nodes import IntArray

MOST_LEAST = 2**30  # beyond every margin of scores


@dataclass(frozen=True, eq=False)
class Cascade:
    """Rows whose margin in ``small`` is below ``least`` are passed on to ``large``. Both have the same inputs and
    classes; ``ValueError`` if they do not."""

    small: IntegerTree
    large: IntegerTree
    least: int

    def __post_init__(self) -> None:
        small, large = self.small.source, self.large.source
        if small.classes is None or small.classes != large.classes or small.features != large.features:
            raise ValueError("a cascade takes two classifiers with the same inputs and the same classes in one order")

    def quantize(self, X: ArrayLike) -> NDArray[np.int8]:
        """(rows, used inputs of both) integers of the small tree, then those of the large one."""
        return np.hstack([self.small.quantize(X), self.large.quantize(X)])

    def predict_q(self, q: NDArray[np.int8]) -> NDArray[np.int32]:
        """(rows,) the positions of the classes, from what ``quantize`` returns."""
        small, large = np.hsplit(q, [len(self.small.inputs.features)])
        codes, margin = answers(self.small, small)
        return np.where(margin < self.least, self.large.predict_q(large), codes).astype(np.int32)

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) class labels for raw inputs (rows, features)."""
        return label_array(self.small.source.classes or ())[self.predict_q(self.quantize(X))]

    def passed(self, X: ArrayLike) -> NDArray[np.bool_]:
        """(rows,) whether the large tree is asked for raw inputs (rows, features)."""
        return answers(self.small, self.small.quantize(X))[1] < self.least

    def mean_macs(self, X: ArrayLike) -> float:
        """Multiply-accumulates per row, the mean over raw inputs (rows, features); in the worst case it is the sum of
        both trees'."""
        return macs(self.small) + float(self.passed(X).mean()) * macs(self.large)


def macs(tree: IntegerTree) -> int:
    """Multiply-accumulates of the whole tree: one for each edge."""
    return int(np.count_nonzero(tree.nodes["depth"]))


def answers(tree: IntegerTree, q: NDArray[np.int8]) -> tuple[IntArray, IntArray]:
    """(rows,) the positions of the classes, and their margins, from quantised inputs (rows, used inputs)."""
    scores = tree.scores(q).astype(np.int64)
    codes = class_codes(scores, tree.score_threshold)
    if scores.shape[1] == 1:
        above = scores[:, 0] - tree.score_threshold
        return codes, np.where(above > 0, above, 1 - above)
    second, best = np.partition(scores, -2, axis=1)[:, -2:].T
    return codes, best - second


class Held(NamedTuple):
    """What two models answer for the same rows: ``small`` and ``large`` (rows,), positions of classes, and the
    ``margins`` (rows,) of the small one."""

    small: IntArray
    margins: FloatArray
    large: IntArray


def fit_cascade(
    small: IntegerTree, large: IntegerTree, X: ArrayLike, y: ArrayLike, *, max_loss: float = 0.0
) -> Cascade:
    """The cascade whose accuracy is at most ``max_loss`` below that of the large tree, and which asks it for the fewest
    rows, by raw rows (rows, features) of the classes ``y`` (rows,), given by position.

    The difference has a standard error, which is that of the rows that one of the two gets right and the other does
    not: the accuracy less one standard error counts, as the lowest of many limits would else be one of good luck. Rows
    that the trees were not trained on choose best: on training rows, the large tree looks better than it is.
    ``ValueError`` for no rows, or a loss that is no share.
    """
    Cascade(small, large, 0)
    codes, margin = answers(small, small.quantize(X))
    last = _last_passed(Held(codes, margin.astype(np.float64), large.predict_q(large.quantize(X))), y, max_loss)
    return Cascade(small, large, int(last) + 1)


def cascade_out_of_fold(
    small: IntegerTree, large: IntegerTree, held: Held, y: ArrayLike, *, max_loss: float = 0.0
) -> Cascade:
    """As ``fit_cascade``, by what float models of the same structures answered for rows that they were not fitted to,
    whose classes are ``y`` (rows,). The limit of their margins, in logits, becomes one of the small tree's scores."""
    last = _last_passed(held, y, max_loss)
    if last < 0:
        return Cascade(small, large, 0)
    return Cascade(small, large, min(math.floor(last / logit_of_score(small)) + 1, MOST_LEAST))


def _last_passed(held: Held, y: ArrayLike, max_loss: float) -> float:
    """The largest margin that is passed on; -1 if none is."""
    if not 0 <= max_loss < 1:
        raise ValueError(f"max_loss={max_loss}; it is a share of the rows, 0 or more and below 1")
    y = np.asarray(y)
    if not len(y):
        raise ValueError("the threshold of a cascade is chosen on rows, and there are none")
    right, better, margin = held.small == y, held.large == y, held.margins
    order = np.argsort(margin, kind="stable")
    # Of the rows that are not passed on, from each place of the order on: which of the two alone is right.
    lost, won = (np.append(np.cumsum(rows[order][::-1])[::-1], 0) for rows in (better & ~right, right & ~better))
    enough = won - lost - np.sqrt(won + lost) >= -max_loss * len(y) - 1e-9
    # Only the last row of equal margins is a place to stop.
    ends = np.flatnonzero(np.diff(margin[order], append=np.inf))
    steps = [(-1.0, 0), *zip(margin[order][ends].tolist(), (ends + 1).tolist(), strict=True)]
    return next(limit for limit, passed in steps if enough[passed])


def logit_of_score(tree: IntegerTree) -> float:
    """The logit that a score of 1 stands for."""
    return float(tree.outputs.gain) / 2.0**tree.outputs.drop
