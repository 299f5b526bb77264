"""Which neurons are frozen in the next epoch: scores of the neurons, and thresholds on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from experiments.studies.savings.methods import Lane
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray
from neuraltree.updating.equilibrium import THRESHOLD, Motion
from neuraltree.updating.operations import Mask, Wiring

KAPPA_EPS = 0.1  # of the learned threshold


class Watched(NamedTuple):
    """A lane after an epoch: the motion and the depth of its neurons, their mean gradients by the root of their number
    of weights (neurons,), and the learning rate beside that of the start."""

    motion: Motion
    gradient: FloatArray
    depth: IntArray
    rate: float


# The score of each neuron, (neurons,): the lowest are frozen.
SCORES: dict[str, Callable[[Watched, np.random.Generator], FloatArray]] = {
    "velocity": lambda watched, rng: np.abs(watched.motion.velocity),
    "random": lambda watched, rng: rng.random(len(watched.depth)),
    "depth": lambda watched, rng: rng.random(len(watched.depth)) - watched.depth,  # equal depths by chance
    "gradient": lambda watched, rng: watched.gradient,
}

# The threshold of an epoch, from that of the epoch before, that of the first one, the scores and the rate. The first is
# the quantile of the first scores at the share. SCoTTi's program is not public and its rule is known in words alone,
# so the rules here are ours: "its threshold is learned, and rises as the learned rate falls".
THRESHOLDS: dict[str, Callable[[float, float, FloatArray, float], float]] = {
    "paper": lambda eps, first, scores, rate: THRESHOLD,
    "rate": lambda eps, first, scores, rate: first / rate if rate else np.inf,
    "mean": lambda eps, first, scores, rate: eps + KAPPA_EPS * (float(scores.mean()) - eps),
}


class Choice(NamedTuple):
    """``frozen`` (neurons,) in the next epoch, and the thresholds of this epoch and the first one."""

    frozen: Mask
    eps: float
    first: float


def choose(
    lane: Lane, watched: Watched, before: Choice | None, wiring: Wiring, outputs: int, rng: np.random.Generator
) -> Choice:
    """The neurons that a lane with a score freezes. The outputs, which are the first neurons, are always updated, as
    the last layer is in the program of the paper."""
    method = lane.method
    scores = SCORES[method.score](watched, rng)
    if method.whole:
        scores = highest_below(wiring, scores)
    hidden = scores[outputs:]
    frozen = np.zeros(len(scores), bool)
    if method.threshold == "share":
        frozen[outputs + np.argsort(hidden, kind="stable")[: round(lane.share * len(hidden))]] = True
        return Choice(frozen, 0.0, 0.0)
    first = before.first if before else float(np.quantile(hidden, lane.share))
    eps = THRESHOLDS[method.threshold](before.eps if before else first, first, hidden, watched.rate)
    frozen[outputs:] = hidden < eps
    return Choice(frozen, eps, first)


def highest_below(wiring: Wiring, scores: FloatArray) -> FloatArray:
    """(neurons,) the highest score of each neuron and all below it."""
    found = scores.copy()
    for edge in np.argsort(-wiring.source):  # from the bottom
        reader = wiring.reader[edge]
        found[reader] = max(found[reader], found[wiring.source[edge]])
    return found
