"""The training step of exported code, computed in NumPy doubles, and the order of a device's parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.export.order import Step, slots, steps
from neuraltree.tree.folding import far
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from neuraltree.updating.training_state import Live, TrainingState

Place = tuple[str, int]  # field and position in the node record


def with_parameters(tree: Tree, parameters: ArrayLike, live: Live | None = None) -> Tree:
    """The tree with the parameters of a device, given in the order of the array ``NAME_parameters``.

    ``live`` (nodes,): the nodes that the device trains, as given to ``export_training``.
    """
    order = places(tree.nodes, live=live)
    values = np.asarray(parameters, dtype=np.float64)
    if values.shape != (len(order),):
        raise ValueError(f"got parameters of shape {values.shape}; the tree has ({len(order)},)")
    nodes = tree.nodes.copy()
    for (field, node), value in zip(order, values, strict=True):
        nodes[field][node, 0] = value
    return replace(tree, nodes=nodes, int8_loss=None, band=None)


def training_step(tree: Tree, x: ArrayLike, target: float, rate: float, live: Live | None = None) -> tuple[float, Tree]:
    """The device's step in NumPy doubles for one row of raw inputs: the loss before it, and the tree after it.

    ``target``: in its own units, or the position of the class. ``live`` (nodes,): the trained nodes; by default all.
    """
    return step_with(tree, np.asarray(x, np.float64), target, rate, live=live)


def step_with(
    tree: Tree, x: NDArray, target: float, rate: float, error: float = 0.0, live: Live | None = None
) -> tuple[float, Tree]:
    """``training_step`` in the arithmetic of the type of ``x``.

    Standardised inputs are wrong by the relative ``error``, and slopes by the absolute ``error``.
    """
    nodes, dtype = tree.nodes, x.dtype
    z = _standardised(x, scaler_of(tree)) * dtype.type(1 + error)
    weight, bias = nodes["weight"][:, 0].astype(dtype), nodes["bias"][:, 0].astype(dtype)
    order = steps(nodes)
    sums, values = np.zeros((2, len(nodes)), dtype)
    waiting = np.zeros(slots(order) + 1, dtype)  # the last slot takes the values of outputs, which have no parent
    for step in order:
        at, leaves = step.node, list(step.leaves)
        sums[at] = bias[at] + (waiting[step.own] if step.opened else 0) + weight[leaves] @ z[nodes["op"][leaves]]
        values[at] = ACTIVATIONS[step.code].value(sums[at])
        waiting[step.slot] = weight[at] * values[at] + (0 if step.first else waiting[step.slot])
    tops = [step.node for step in order if step.slot < 0]
    loss, arriving = _loss(tree, values[tops], target)
    gradients = dict(zip(tops, arriving, strict=True))
    new = nodes.copy()
    for step in reversed(order):
        at, leaves = step.node, list(step.leaves)
        above = gradients[at] if step.slot < 0 else waiting[step.slot] * weight[at]
        if step.slot >= 0:
            new["weight"][at, 0] -= rate * waiting[step.slot] * values[at]
        delta = above * (ACTIVATIONS[step.code].derivative(sums[at], values[at]) + error)
        if step.opened:
            waiting[step.own] = delta
        new["weight"][leaves, 0] -= rate * delta * z[nodes["op"][leaves]]
        new["bias"][at, 0] -= rate * delta
    if live is not None:
        trained = _trained(nodes, live)
        for field in trained:
            new[field] = np.where(trained[field][:, None], new[field], nodes[field])
    return float(loss), replace(tree, nodes=new, band=None)


def _loss(tree: Tree, y: NDArray, target: float) -> tuple[Any, NDArray]:
    """The loss and its derivative by the outputs, as in ``neuraltree.tasks.task``."""
    if tree.classes is None or tree.output_activation == "sigmoid":
        raw = np.array([target], y.dtype)
        wanted = _standardised(raw, target_scaler_of(tree)) if tree.classes is None else np.arange(len(y)) == target
        return 0.5 * np.sum((y - wanted) ** 2), y - wanted
    logits = np.append(0.0, y) if tree.kind == "binary" else y
    wanted = np.arange(len(logits)) == target
    powers = np.exp(logits - logits.max())
    gradient = powers / powers.sum() - wanted
    return np.log(powers.sum()) + logits.max() - logits @ wanted, gradient[-len(y) :]


def loss_name(tree: Tree) -> str:
    """The name of the loss that trees of this kind are trained on, a key of ``training_text.LOSSES``."""
    if tree.classes is None:
        return "squared"
    if tree.output_activation == "sigmoid":
        return "squared classes"
    return "logistic" if tree.kind == "binary" else "softmax"


def scaler_of(tree: Tree) -> Scaler:
    width = len(tree.features)
    return tree.scaler or Scaler(np.zeros(width), np.ones(width))


def target_scaler_of(tree: Tree) -> Scaler:
    return tree.target_scaler or Scaler(np.zeros(1), np.ones(1))


def _standardised(raw: NDArray, scaler: Scaler) -> NDArray:
    """Standardised inputs as the device computes them, rounded as the type of ``raw`` rounds."""
    z = (raw - scaler.mean.astype(raw.dtype)) * (1 / scaler.scale).astype(raw.dtype)
    return z + shifts(scaler).astype(raw.dtype) if raw.dtype == np.float32 and far(scaler).any() else z


def shifts(scaler: Scaler) -> NDArray[np.float64]:
    """(features,) how far rounding to a single float moved each mean, in standard deviations."""
    return (scaler.mean.astype(np.float32) - scaler.mean) / scaler.scale


def places(nodes: Nodes, order: list[Step] | None = None, live: Live | None = None) -> list[Place]:
    """The place of each parameter in the record; per node: its bias, the weights of its leaves, its own weight.

    ``live`` (nodes,): of trained nodes alone, to which their biases and the weights of their children belong.
    """
    found: list[Place] = []
    for step in order or steps(nodes):
        found += [("bias", step.node), *(("weight", leaf) for leaf in step.leaves)]
        found += [("weight", step.node)] * (step.slot >= 0)
    if live is None:
        return found
    trained = _trained(nodes, live)
    return [(field, node) for field, node in found if trained[field][node]]


def _trained(nodes: Nodes, live: Live) -> dict[str, Live]:
    """By field of the record (nodes,): whether the parameter is trained."""
    state = TrainingState(nodes)
    return {"weight": state.trained_edges(live), "bias": live & state.function}
