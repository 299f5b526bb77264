"""Synaptic importance: a score for each parameter, summed to importance scores of nodes and inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.criteria import CRITERIA
from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.tree.nodes import parents
from neuraltree.tree.tree import Tree


class Importance(NamedTuple):
    """``edges`` (nodes,): the parameter score of the edge above each node, 0 at outputs. ``nodes`` (nodes,): the sum of
    those of the edges into a function node, 0 at leaves. ``inputs`` (features,): of the edges that read an input."""

    edges: FloatArray
    nodes: FloatArray
    inputs: FloatArray


def synaptic_importance(tree: Tree, X: ArrayLike, y: ArrayLike) -> Importance:
    """The scores of a tree on raw rows ``X`` (rows, features) with targets or labels ``y``.

    A parameter score is |w| sqrt(mean over rows of g²), with g the derivative of a row's loss by the weight w: the
    criterion "importance" of pruning, in the unit of the training loss. The source shows how parameter scores become
    importance scores in a picture only; that they are summed is our choice. Unlike ``feature_importances_``, which are
    products of weights, these scores need rows, and see activations that are flat.
    Raises ``ValueError`` as ``lesson_of`` does.
    """
    nodes, lesson = tree.nodes, lesson_of(tree, X, y)
    edges = CRITERIA["importance"].scores(passed(nodes, lesson))
    parent, op = parents(nodes["depth"]), nodes["op"]
    below, leaf = parent >= 0, op >= 0
    return Importance(
        edges,
        np.bincount(parent[below], edges[below], len(nodes)).astype(np.float64),
        np.bincount(op[leaf], edges[leaf], len(tree.features)).astype(np.float64),
    )
