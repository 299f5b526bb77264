"""A check that the hand-written C and the engine agree: gradients and weights after one step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.forest_engine import engine, packed
from benchmarks.peers.handwritten import Flat, flatten, handwritten
from benchmarks.peers.workload import Workload
from neuraltree.engine.forest import store_params
from neuraltree.tree.nodes import Nodes, join

TOLERANCE = 1e-4


class Agreement(NamedTuple):
    """The largest differences, each relative to the largest entry of its tree."""

    gradient: float
    weights: float


def agreement(work: Workload) -> Agreement:
    """``work`` is one batch, seen once. Raises ``ValueError`` beyond ``TOLERANCE``."""
    flat, (param, gradient) = flatten(work), handwritten(work, 2).run()
    found = Agreement(
        _difference(flat, gradient, _collect(work, engine_gradient(work))),
        _difference(flat, param, _collect(work, engine(work, 2).run())),
    )
    if not max(found) < TOLERANCE:
        raise ValueError(f"the C peer and the engine differ by {found}; at most {TOLERANCE} is allowed")
    return found


def engine_gradient(work: Workload) -> list[NDArray[np.float32]]:
    """The gradient of all trees at their initial weights: what one step of plain descent at rate one takes off."""
    _, params = packed(work)
    return [params - np.concatenate(engine(work, 1, "sgd", 1.0).run())]


def _collect(work: Workload, params: list[NDArray[np.float32]]) -> Nodes:
    """The values of all parts, written back into the records of the trees."""
    return store_params(packed(work)[0], join(work.trees)[0], np.concatenate(params)[None])


def _difference(flat: Flat, ours: NDArray[np.float32], nodes: Nodes) -> float:
    expected = np.where(flat.is_bias, nodes["bias"][flat.node, 0], nodes["weight"][flat.node, 0])
    starts = flat.structure["first_param"][flat.structure["first_node"][:-1]]
    largest = np.maximum.reduceat(np.abs(expected), starts)
    return float((np.maximum.reduceat(np.abs(ours - expected), starts) / largest).max())
