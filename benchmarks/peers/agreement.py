"""A check that the hand-written C and the engine agree: gradients and weights after one step."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.forest_engine import engine, packed
from benchmarks.peers.handwritten import Flat, flatten, handwritten
from benchmarks.peers.workload import Workload
from neuraltree.engine.forest import Params, backward, forward, load_params, outputs, store_params
from neuraltree.engine.packing import Forest
from neuraltree.engine.training_step import make_data
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


def engine_gradient(work: Workload) -> list[Params]:
    """The gradients of every bin at the initial weights of the trees, on all rows in order."""
    shape, bins = packed(work)
    nodes, _ = join(work.trees)
    rows, targets = work.order[0], work.targets[work.order[0]]
    inputs = make_data(work.inputs, work.targets[:, None], None, shape, "float32").inputs[rows]

    def gradient(forest: Forest, params: Params) -> Params:
        states = forward(shape, forest, params, inputs)
        error = (outputs(forest, states) - targets) / len(targets)
        return backward(shape, forest, params, inputs, states, error)

    return [jax.jit(gradient)(unit.forest, load_params(unit, nodes, 0, "float32")) for unit in bins]


def _collect(work: Workload, params: list[Params]) -> Nodes:
    """The values of bins, written back into the records of the trees."""
    nodes = join(work.trees)[0].copy()
    for unit, values in zip(packed(work)[1], params, strict=True):
        store_params(unit, nodes, 0, values)
    return nodes


def _difference(flat: Flat, ours: NDArray[np.float32], nodes: Nodes) -> float:
    expected = np.where(flat.is_bias, nodes["bias"][flat.node, 0], nodes["weight"][flat.node, 0])
    starts = flat.structure["first_param"][flat.structure["first_node"][:-1]]
    largest = np.maximum.reduceat(np.abs(expected), starts)
    return float((np.maximum.reduceat(np.abs(ours - expected), starts) / largest).max())
