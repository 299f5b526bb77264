"""The criteria by which edges are pruned, one row each.

A score is that of the edge above a node, (nodes,); edges of the lowest scores are cut first, and edges of infinite
scores never. An edge in a tree carries the whole subtree below it, so the size of its weight says little about it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.ablation import ablation, input_ablation
from neuraltree.compress.pruning.edge_slopes import Passed
from neuraltree.compress.pruning.lines import line_loss
from neuraltree.tree.nodes import subtree_end


class Criterion(NamedTuple):
    """``unit``: what is cut at once: an "edge", a hidden "subtree", an "input" wherever the tree reads it, or a hidden
    "node", which becomes a straight line so that its children move up."""

    scores: Callable[[Passed], FloatArray]
    help: str
    unit: str = "edge"


def _magnitude(found: Passed) -> FloatArray:
    return np.abs(found.weight)


def _spread(found: Passed) -> FloatArray:
    return np.abs(found.weight) * found.values.std(axis=1)


def _gradient(found: Passed) -> FloatArray:
    """The root mean square over rows: the mean gradient is 0 wherever training has ended."""
    return np.sqrt(np.average(np.square(found.by_edge), axis=1, weights=found.lesson.weight))


def _taylor(found: Passed) -> FloatArray:
    """|w| times the root mean square of its gradient, by what the child's value departs from its mean.

    After Molchanov et al. 2019 (https://arxiv.org/abs/1906.10771, section 3.1), with the squares taken row by row.
    Cutting moves the child's mean into the bias, so only the departure is lost.
    """
    departure = found.values - found.means[:, None]
    slope = np.where(found.parent[:, None] >= 0, found.deltas[found.parent] * departure, 0.0)
    return np.abs(found.weight) * np.sqrt(np.average(np.square(slope), axis=1, weights=found.lesson.weight))


def _importance(found: Passed) -> FloatArray:
    """The parameter score of synaptic importance: |w| times the root mean square of its gradient over rows.

    Deck *Resources Constrained Learning*. Unlike ``_taylor`` it takes a cut edge to lose all that came through it.
    """
    return np.abs(found.weight) * _gradient(found)


def _random(found: Passed) -> FloatArray:
    # From the structure, so that the same tree is cut in the same way; nested cuts go on in one order.
    return np.random.default_rng(len(found.nodes)).random(len(found.nodes))


def _by_norm(norm: Callable[[FloatArray], float]) -> Callable[[Passed], FloatArray]:
    """|w| of a hidden node's edge times a norm of the weights below it."""

    def scores(found: Passed) -> FloatArray:
        depth, weight = found.nodes["depth"], np.abs(found.weight)
        result = np.full(len(depth), np.inf)
        for i in np.flatnonzero((found.nodes["op"] < 0) & (depth > 0)).tolist():
            below = weight[i + 1 : subtree_end(depth, i)]
            result[i] = weight[i] * norm(below)
        return result

    return scores


CRITERIA: dict[str, Criterion] = {
    "ablation": Criterion(ablation, "what the loss rises by without the edge, exactly"),
    "taylor": Criterion(_taylor, "an estimate of it from the gradients, for large trees"),
    "importance": Criterion(_importance, "|weight| times the root mean square of the gradient by it"),
    "gradient": Criterion(_gradient, "root mean square of the gradient by the weight"),
    "spread": Criterion(_spread, "|weight| times the standard deviation of what comes through the edge"),
    "magnitude": Criterion(_magnitude, "|weight|"),
    "random": Criterion(_random, "no order, to compare with"),
    "l1": Criterion(_by_norm(np.mean), "whole hidden subtrees, by |weight| times the mean |weight| below", "subtree"),
    "l2": Criterion(
        _by_norm(lambda below: float(np.sqrt(np.mean(np.square(below))))),
        "the same by |weight| times the root mean square of the weights below",
        "subtree",
    ),
    "linf": Criterion(_by_norm(np.max), "the same by |weight| times the largest |weight| below", "subtree"),
    "subtree": Criterion(ablation, "whole hidden subtrees, by what the loss rises by without them", "subtree"),
    "input": Criterion(input_ablation, "an input everywhere, by what the loss rises by without it", "input"),
    "line": Criterion(line_loss, "hidden nodes become straight lines, by what the loss rises by", "node"),
}


def criterion_named(name: str) -> Criterion:
    """The row of this name; ``ValueError`` names those that are allowed."""
    if name not in CRITERIA:
        raise ValueError(f"unknown criterion {name!r}; allowed: {', '.join(CRITERIA)}")
    return CRITERIA[name]


@np.errstate(all="ignore")
def scored(criterion: Criterion, found: Passed) -> FloatArray:
    """(nodes,) the scores, infinite for what the criterion does not cut and for outputs."""
    scores = np.array(criterion.scores(found), dtype=np.float64)
    whole = found.nodes["op"] < 0
    kept = {"edge": np.zeros(len(whole), bool), "subtree": ~whole, "input": whole, "node": ~whole}[criterion.unit]
    scores[kept | (found.nodes["depth"] == 0) | ~np.isfinite(scores)] = np.inf
    return scores
