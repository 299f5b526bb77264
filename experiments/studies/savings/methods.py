"""The methods of the study, one row each, and the lanes: a method at one of its shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SHARES = (0.25, 0.5, 0.75, 0.9)  # of the hidden neurons that are frozen, or of the epochs that are left out
FEW = (0.5, 0.9)


class Method(NamedTuple):
    """How a training chooses the neurons that it does not update.

    ``score``: a key of ``freezing.SCORES``; neurons with the lowest scores are frozen, and none without a score.
    ``threshold``: the lowest ``share`` of the hidden neurons at each epoch, or those below a key of ``THRESHOLDS``.
    ``whole``: a neuron has the highest score of its subtree, so that only whole subtrees are frozen. ``learned``: a key
    of ``hyper_gradient.RULES``, "" for a rate that falls along half a cosine; ``start``: its factor at the start.
    ``shorter``: the share is that of the epochs that are left out. ``centred`` and ``form``: of the velocity.
    ``shares``: those of the study; a threshold that is learned begins at the quantile of the first scores at a share.
    """

    doc: str
    score: str = ""
    threshold: str = "share"
    whole: bool = False
    learned: str = ""
    start: float = 1.0
    shorter: bool = False
    centred: bool = True
    form: str = "paper"
    shares: tuple[float, ...] = ()


LEARNED = "scaled"
METHODS = {
    "baseline": Method("every neuron is updated"),
    "neq": Method(
        "neurons at equilibrium: the slowest share of the neurons, anew after each epoch", "velocity", shares=SHARES
    ),
    "learned rate": Method("the learning rate is learned by hyper-gradients", learned=LEARNED),
    "neq, learned rate": Method("both", "velocity", learned=LEARNED, shares=FEW),
    "scotti, by rate": Method(
        "both, and the threshold grows as the rate falls: eps = eps_0 a_0 / a",
        "velocity",
        "rate",
        learned=LEARNED,
        shares=FEW,
    ),
    "scotti, by mean": Method(
        "both, and the threshold follows the mean of the velocities", "velocity", "mean", learned=LEARNED, shares=(0.5,)
    ),
    "neq, subtrees": Method("the slowest whole subtrees", "velocity", whole=True, shares=FEW),
    "random": Method("random neurons, anew after each epoch", "random", shares=SHARES),
    "static": Method("the neurons farthest from the output, from the first epoch to the last", "depth", shares=SHARES),
    "gradient": Method(
        "the neurons with the smallest gradient, by the root of their number of weights", "gradient", shares=SHARES
    ),
    "shorter": Method("every neuron is updated, in fewer epochs", shorter=True, shares=SHARES),
    "neq, eps .001": Method("as in the paper: plain cosines, threshold .001", "velocity", "paper", centred=False),
    "neq, program": Method(
        "as in the paper, with the velocity of its program", "velocity", "paper", centred=False, form="program"
    ),
    "tenth": Method("every neuron is updated, at a tenth of the rate", start=0.1),
    "learned from a tenth": Method("the rate is learned from a tenth", learned=LEARNED, start=0.1),
    "added": Method("the rate is learned by the sum of the paper", learned="added"),
}

PIXEL_METHODS = (
    *("baseline", "neq", "learned rate", "neq, learned rate", "scotti, by rate"),
    *("random", "static", "shorter"),
)


class Lane(NamedTuple):
    """``share``: 0 for a method without one."""

    name: str
    method: Method
    share: float = 0.0


def lanes_of(names: Iterable[str], shares: Sequence[float] = SHARES) -> list[Lane]:
    """The methods of these names; one with shares at each of its own that is among ``shares``."""
    found = [(name, METHODS[name]) for name in names]
    return [
        Lane(name, method, share)
        for name, method in found
        for share in ([each for each in method.shares if each in shares] if method.shares else [0.0])
    ]
