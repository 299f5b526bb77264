"""Training of the values that the weights of a tree share (Han et al. 2016, Deep compression, section 3.2,
https://arxiv.org/abs/1510.00149): which weights share a value stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tree.nodes import IntArray, Nodes
from neuraltree.tree.tree import Tree


class Sharing(NamedTuple):
    """The edges (nodes,) whose weights are shared, and for each of them the place of its value."""

    edges: IntArray
    places: IntArray


def sharing_of(nodes: Nodes) -> tuple[Sharing, FloatArray]:
    """What the weights of a tree share, but for edges into outputs; and the values in rising order."""
    edges = np.flatnonzero(nodes["depth"] > 1)
    values, places = np.unique(nodes["weight"][edges, 0], return_inverse=True)
    return Sharing(edges, places), values


def shared_slopes(nodes: Nodes, lesson: Lesson, sharing: Sharing) -> tuple[FloatArray, FloatArray]:
    """The derivatives of the mean loss by each shared value, the sum over the weights that share it, and by the biases
    (nodes,)."""
    found = passed(nodes, lesson)
    share = lesson.weight / len(lesson.weight)
    by_edge = found.by_edge @ share
    return np.bincount(sharing.places, by_edge[sharing.edges]), found.deltas @ share


@np.errstate(all="ignore")  # a tree that diverges keeps its start
def finetune_shared(
    tree: Tree, lesson: Lesson, *, epochs: int, learning_rate: float, batch_size: int, seed: int
) -> Tree:
    """A tree with shared weights, its values and biases trained by Adam (Kingma & Ba 2015) on the rows of a lesson.

    The rate falls to 0 as a cosine. They are those of the epoch, start included, with the least loss.
    """
    sharing, values = sharing_of(tree.nodes)
    rng, steps = np.random.default_rng(seed), -(-len(lesson.inputs) // batch_size)
    theta, count = np.concatenate([values, tree.nodes["bias"][:, 0]]), len(values)
    mean, square, best = np.zeros_like(theta), np.zeros_like(theta), tree.nodes
    least = passed(tree.nodes, lesson).loss
    for done in range(epochs * steps):
        if done % steps == 0:
            order = rng.permutation(len(lesson.inputs))
        rows = order[done % steps * batch_size :][:batch_size]
        nodes = _with(tree.nodes, sharing, theta[:count], theta[count:])
        slope = np.concatenate(shared_slopes(nodes, _part(lesson, rows), sharing))
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        direction = mean / (1 - 0.9 ** (done + 1)) / (np.sqrt(square / (1 - 0.999 ** (done + 1))) + 1e-8)
        theta = theta - learning_rate * (1 + np.cos(np.pi * done / (epochs * steps))) / 2 * direction
        if done % steps == steps - 1:
            nodes = _with(tree.nodes, sharing, theta[:count], theta[count:])
            if (found := passed(nodes, lesson).loss) < least:
                best, least = nodes, found
    return replace(tree, nodes=best)


def _with(nodes: Nodes, sharing: Sharing, values: FloatArray, biases: FloatArray) -> Nodes:
    nodes = nodes.copy()
    nodes["weight"][sharing.edges, 0] = values[sharing.places]
    nodes["bias"][:, 0] = np.where(nodes["op"] < 0, biases, 0.0)
    return nodes


def _part(lesson: Lesson, rows: IntArray) -> Lesson:
    return replace(lesson, inputs=lesson.inputs[rows], targets=lesson.targets[rows], weight=lesson.weight[rows])
