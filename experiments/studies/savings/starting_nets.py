"""The networks of the study and their weights before the training."""

from __future__ import annotations

import numpy as np

from experiments.studies.pruning.run import sized_tree
from experiments.studies.savings.levelled import Floats, Levelled, dense, from_nodes
from neuraltree.activations.table import code_of
from neuraltree.tasks.task import Task
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.space import Space


def any_tree(
    rng: np.random.Generator, features: int, task: Task, weights: int, kinds: tuple[str, ...]
) -> tuple[Levelled, Floats]:
    """A random tree of about so many weights, as those of the experiment ``pruning``."""
    space = Space(features, task.n_outputs, kinds, task.output_activation, 4 * weights, 5, 6)
    return from_nodes(sized_tree(rng, space, weights), features)


def pixel_tree(
    rng: np.random.Generator, features: int, task: Task, weights: int, hidden: int
) -> tuple[Levelled, Floats]:
    """Outputs with ``hidden`` nodes each, which read as many random inputs as ``weights`` allow."""
    return from_nodes(pixel_nodes(rng, features, task.n_outputs, weights, hidden), features)


def pixel_nodes(rng: np.random.Generator, features: int, outputs: int, weights: int, hidden: int) -> Nodes:
    every = outputs * hidden
    leaves = (weights - 2 * every - outputs) // every  # an edge and a bias for each hidden node
    one = np.zeros(1 + leaves, node_dtype())
    one["depth"], one["op"][0] = [1] + [2] * leaves, ~code_of("relu")
    nodes = np.tile(np.concatenate([np.zeros(1, node_dtype()), np.tile(one, hidden)]), outputs)
    nodes["op"][nodes["depth"] == 0] = ~code_of("identity")
    for first in np.flatnonzero(nodes["depth"] == 1):
        nodes["op"][first + 1 : first + 1 + leaves] = rng.permutation(features)[:leaves]
    return redraw_weights(rng, nodes)


def network(rng: np.random.Generator, features: int, task: Task, weights: int, levels: int) -> tuple[Levelled, Floats]:
    """A dense network with hidden levels of equal width, as wide as the weights allow."""
    width = 1
    while dense_weights(features, width + 1, task.n_outputs, levels) <= weights:
        width += 1
    sizes = (features, *[width] * levels, task.n_outputs)
    return dense(rng, sizes, code_of("tanh"), code_of(task.output_activation))


def dense_weights(features: int, width: int, outputs: int, levels: int) -> int:
    return (features + 1) * width + (levels - 1) * (width + 1) * width + (width + 1) * outputs
