"""The two kinds of models that are trained at every size: trees, and networks with one hidden layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from experiments.growth.course import Course
from experiments.growth.dense import Layers, batches, start_dense, train_dense_round
from experiments.growth.pixels import Pixels
from experiments.growth.rewiring import State, Task
from experiments.growth.rounds import rounds
from experiments.growth.skeleton import Mask, make_skeleton, places, spread_out
from experiments.growth.tree_training import start_state, train_round
from experiments.studies.invariance.two_layers import TwoLayers
from neuraltree.engine.optimizers import OPTIMIZERS


class TreeState(NamedTuple):
    """A tree in training."""

    task: Task
    state: State


class NetworkState(NamedTuple):
    """A network in training; ``kept`` (hidden, features + 1), biases last, which always stay."""

    pixels: Pixels
    course: Course
    layers: Layers
    moments: Any
    kept: Mask


class Kind(NamedTuple):
    """``start(pixels, course, weights, hidden, rng)``: an untrained model; ``hidden`` nodes for each class, in a tree.
    ``epochs(model, course, rng)``: the model after each epoch. ``seen``: it in two layers. ``cut(model, kept)``: it
    without the edges that are not kept, and without the optimiser's memory."""

    start: Callable[[Pixels, Course, int, int, np.random.Generator], Any]
    epochs: Callable[[Any, Course, np.random.Generator], Iterator[Any]]
    seen: Callable[[Any], TwoLayers]
    cut: Callable[[Any, Mask], Any]


def _start_tree(pixels: Pixels, course: Course, weights: int, hidden: int, rng: np.random.Generator) -> TreeState:
    skeleton = make_skeleton(len(pixels.spread), pixels.targets.shape[1], (hidden,), ("relu",))
    task = Task(skeleton, pixels, skeleton.possible & (pixels.spread > 0), course)
    return TreeState(task, start_state(task, skeleton.leaves(weights), rng))


def _tree_epochs(model: TreeState, course: Course, rng: np.random.Generator) -> Iterator[TreeState]:
    task, state = model.task._replace(course=course), model.state
    for each in rounds(task.pixels, course, rng):
        state = train_round(task, state, each, rng)
        yield TreeState(task, state)


def _seen_tree(model: TreeState) -> TwoLayers:
    """The nodes of a tree stand in prefix order, so that an output comes before its hidden nodes."""
    matrix = spread_out(model.state.mask, model.state.params)
    hidden = model.task.skeleton.functions["depth"] > 0
    owner = np.cumsum(~hidden)[hidden] - 1
    last = np.zeros((np.count_nonzero(~hidden), len(owner) + 1), matrix.dtype)
    last[owner, np.arange(len(owner))] = matrix[hidden, 1]
    last[:, -1] = matrix[~hidden, 0]
    first = np.concatenate([matrix[hidden, 2:], matrix[hidden, :1]], axis=1)
    return TwoLayers(Layers(first, last), model.state.mask[hidden], 2 * len(owner) + len(last))


def _cut_tree(model: TreeState, kept: Mask) -> TreeState:
    before = model.state.mask
    mask = np.zeros_like(before)
    mask[model.task.skeleton.functions["depth"] > 0] = kept
    params = model.state.params[places(mask)[places(before)]]
    return model._replace(state=State(mask, params, [np.array(0), np.zeros_like(params), np.zeros_like(params)]))


def _start_network(pixels: Pixels, course: Course, weights: int, hidden: int, rng: np.random.Generator) -> NetworkState:
    del hidden  # a network is as wide as its weights allow, but has one hidden node at least
    usable, outputs = pixels.spread > 0, pixels.targets.shape[1]
    width = max(1, (weights - outputs) // (np.count_nonzero(usable) + 1 + outputs))
    kept = np.tile(np.append(usable, True), (width, 1))
    layers = start_dense(pixels, width, rng)
    return _fresh(NetworkState(pixels, course, layers, None, kept))


def _fresh(model: NetworkState) -> NetworkState:
    layers = model.layers._replace(first=model.layers.first * model.kept)
    return model._replace(layers=layers, moments=OPTIMIZERS["adam"](0.0).init(layers))


def _network_epochs(model: NetworkState, course: Course, rng: np.random.Generator) -> Iterator[NetworkState]:
    layers, moments = model.layers, model.moments
    for each in rounds(model.pixels, course, rng):
        steps = batches(model.pixels, course, each, rng)
        layers, moments = train_dense_round(layers, moments, model.kept, steps)
        yield model._replace(course=course, layers=layers, moments=moments)


def _seen_network(model: NetworkState) -> TwoLayers:
    layers = Layers(*map(np.asarray, model.layers))
    return TwoLayers(layers, model.kept[:, :-1], len(layers.first) + layers.last.size)


def _cut_network(model: NetworkState, kept: Mask) -> NetworkState:
    layers = Layers(*map(np.asarray, model.layers))
    return _fresh(model._replace(layers=layers, kept=np.pad(kept, ((0, 0), (0, 1)), constant_values=True)))


KINDS = {
    "tree": Kind(_start_tree, _tree_epochs, _seen_tree, _cut_tree),
    "network": Kind(_start_network, _network_epochs, _seen_network, _cut_network),
}
