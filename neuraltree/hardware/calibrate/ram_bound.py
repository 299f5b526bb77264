"""The upper bound on RAM that lies nearest to measurements, by linear programming.

A compiler decides what it keeps on the stack, so trees of equal counts differ. The bound has the form of
``profile_schema.Ram``: a sum with coefficients of 0 or more, and the largest stack of a called function; or the RAM of
the smallest tree if that is more. No measured tree comes nearer to it from below than a margin, which covers trees that
were left out; within that, as few trees as possible are far below it (``is_near``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.linear_model import INTEGERS, RAM, TASKS, TERMS, Frames, ram_parts

FOLDS = 10
MARGINS = (4.0, 8.0)  # bytes that a margin may have beside its share: one word or two
RESERVE = 0.02  # of the bound: what the margin has beyond all trees that were left out
ROUNDS = 6  # of choosing anew which function is the deepest in each tree
SHARPNESS = 8  # how much less
TINY = 1e-6  # weight of a coefficient that no tree needs
WHOLE_SHARE = 0.02  # weight of the whole bound, beside that of its part that is not near
NEAR_SHARE, NEAR_BYTES = 0.25, 16  # a bound is near within one of these


class RamBound(NamedTuple):
    """``terms`` by name (RAM), ``frames`` by activation, ``least`` by task, all in bytes; ``margin`` in bytes and
    ``share`` of the RAM, together the least distance of trees to which it was fitted, but for those with the RAM of the
    smallest."""

    terms: dict[str, float]
    frames: dict[str, float]
    least: dict[str, float]
    margin: float
    share: float

    def of(self, once: FloatArray) -> FloatArray:
        """(trees,) bytes from the design per tree."""
        linear = np.zeros_like(once)
        places = [TERMS.index(name) for name in self.terms]
        linear[:, places] = once[:, places] * np.array(list(self.terms.values()))
        figures = [
            np.array([row.get(name, 0.0) for name in names])
            for row, names in ((self.frames, NAMES), (self.least, TASKS))
        ]
        return ram_parts(linear, once, Frames(*figures)).sum(axis=1)


def fit_bound(once: FloatArray, measured: FloatArray) -> RamBound:
    """The bound of trees with the design ``once`` (trees, TERMS) and RAM ``measured`` (trees,), with its margin.

    The margin comes from trees that are left out: each tenth of them is compared with a bound without margin of the
    others, and none exceeds that by more than the margin less a reserve: some bytes and a share of the bound. Of the
    margins that do this the one with the most near trees is taken.
    """
    fold, left_out = np.arange(len(measured)) % FOLDS, np.zeros(len(measured))
    for part in (fold == i for i in range(FOLDS)):
        left_out[part] = _nearest(once[~part], measured[~part], 0.0, 0.0).of(once[part])
    shares = [float(((measured - margin) / left_out - 1).max(initial=0.0)) + RESERVE for margin in MARGINS]
    rows = zip(MARGINS, shares, strict=True)
    found = [_nearest(once, measured, margin, float(np.ceil(1000 * share)) / 1000) for margin, share in rows]
    return min(found, key=lambda bound: _badness(bound.of(once), measured))


def is_near(bound: FloatArray, measured: FloatArray) -> NDArray[np.bool_]:
    """(trees,) whether the bound is at most 25 % or 16 B above what was measured."""
    return bound <= _near(measured)


def _near(measured: FloatArray) -> FloatArray:
    return np.maximum((1 + NEAR_SHARE) * measured, measured + NEAR_BYTES)


def _nearest(once: FloatArray, measured: FloatArray, margin: float, share: float) -> RamBound:
    """The bound with this margin. The deepest function of a tree is not known before its figure is, so it is first
    guessed and then chosen anew. A program minimises how far trees are from being near, not their number; so trees that
    are far count less in the next one. Each gives a bound, and the nearest one is returned."""
    task = once[:, [TERMS.index(name) for name in TASKS]]
    kinds = once[:, [TERMS.index(name) for name in NAMES]]
    least, guess = _smallest(measured, task), _smallest(measured, kinds)
    weight, found = np.ones(len(measured)), list[tuple[tuple[float, float], int, RamBound]]()
    for _ in range(ROUNDS):
        deepest = np.eye(len(NAMES))[(kinds * (guess + TINY)).argmax(axis=1)] * kinds
        terms, depth = _solve(once, measured, task @ least, deepest, (1 + share) * measured + margin, weight)
        bound = RamBound(terms, _named(NAMES, depth), _named(TASKS, least), margin, share)
        found.append((_badness(bound.of(once), measured), len(found), bound))
        guess, weight = depth, NEAR_BYTES / (NEAR_BYTES + np.maximum(bound.of(once) - _near(measured), 0.0) * SHARPNESS)
    return min(found)[-1]


def _smallest(measured: FloatArray, groups: FloatArray) -> FloatArray:
    """The least of each group of trees (trees, groups), 0 for an empty one."""
    least = np.where(groups > 0, measured[:, None], np.inf).min(axis=0)
    return np.where(np.isinf(least), 0.0, least)


def _named(names: tuple[str, ...], figures: FloatArray) -> dict[str, float]:
    return {name: _rounded_up(figure) for name, figure in zip(names, figures.tolist(), strict=True) if figure > 0}


def _rounded_up(figure: float) -> float:
    """With two decimals, so that no tree is above its bound by rounding."""
    return float(np.ceil(100 * figure - TINY) / 100)


def _badness(bound: FloatArray, measured: FloatArray) -> tuple[float, float]:
    """What is minimised: the share of trees that are not near; then the part of the bound that is not near, and with a
    small weight all of it, over the RAM."""
    parts = (np.maximum(bound - _near(measured), 0.0) + WHOLE_SHARE * bound) / measured
    return float(np.mean(~is_near(bound, measured))), float(np.sum(parts))


def _solve(
    once: FloatArray,
    measured: FloatArray,
    least: FloatArray,
    deepest: FloatArray,
    wanted: FloatArray,
    weight: FloatArray,
) -> tuple[dict[str, float], FloatArray]:
    """The coefficients of RAM and the stack of each activation's function.

    ``deepest`` (trees, NAMES): the function that counts. The variables are these figures; each tree's bound, ``least``
    or more; and the part of it that is not near, which counts by ``weight``. Trees with more than ``least`` get
    ``wanted`` or more.
    """
    from scipy.optimize import linprog
    from scipy.sparse import block_array, csr_array, eye_array

    varies = dict(zip(TERMS, np.ptp(once, axis=0) > 0, strict=True))
    # Without inputs of several types nothing is known of them.
    names = [name for name in RAM if varies[name] or name not in ("float_inputs", *INTEGERS)]
    figures = csr_array(np.hstack([once[:, [TERMS.index(name) for name in names]], deepest]))
    trees, size = figures.shape
    above, each = measured > least, eye_array(trees)
    cost = np.concatenate([np.full(size, TINY), WHOLE_SHARE / measured, weight / measured])
    rows = block_array([[-figures[above], None, None], [figures, -each, None], [None, each, -each]])
    sides = np.concatenate([-wanted[above], np.zeros(trees), _near(measured)])
    limits = [(0.0, None)] * size + [(float(low), None) for low in least] + [(0.0, None)] * trees
    found = linprog(cost, A_ub=rows, b_ub=sides, bounds=limits, method="highs").x
    terms = {name: _rounded_up(value) for name, value in zip(names, found[: len(names)].tolist(), strict=True)}
    return terms, np.where(deepest.any(axis=0), found[len(names) : size], 0.0)
