"""How many weights entropy-guided pruning cuts in each layer: by the deck's formula, and as the authors' program does.

Deck *Resources Constrained Learning*, slide *Entropy Guided Pruning*; program ZhuLIAO001/
Unstructured_Relu_Pruning_Reduce_Depth, commit 9d24c36. The two differ: the deck multiplies a layer's own number of
weights, the program a number of weights for all layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.entropy.node_states import node_states
from neuraltree.tree.nodes import IntArray, parents

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


class Layers(NamedTuple):
    """(layers,) each. ``entropy``: the mean over a layer's nodes, in bits; ``mean_weight``: the mean |weight| of its
    weights that are not 0; ``weights``: their number."""

    entropy: FloatArray
    mean_weight: FloatArray
    weights: IntArray


def layers_of_tree(tree: Tree, X: ArrayLike, *, changing_only: bool = False) -> Layers:
    """The hidden nodes of each depth from 1 on as a layer; its weights are those of the edges into these nodes.

    ``changing_only``: nodes that are always in one state do not count in the mean, as in the program. There that is
    tested by batches, here over all rows ``X`` (rows, features). Raises ``ValueError`` as ``scaled_rows`` does.
    """
    nodes, entropy = tree.nodes, node_states(tree, X).entropy
    hidden = (nodes["op"] < 0) & (nodes["depth"] > 0)
    size = np.abs(nodes["weight"][:, 0])
    rows = []
    for depth in range(1, tree.depth):
        here = hidden & (nodes["depth"] == depth)
        counted = entropy[here & (entropy > 0)] if changing_only else entropy[here]
        into = (nodes["depth"] == depth + 1) & (size > 0)
        rows.append((counted.mean() if len(counted) else 0.0, size[into].mean() if into.any() else 0.0, into.sum()))
    entropies, means, weights = zip(*rows, strict=True) if rows else ((), (), ())
    return Layers(np.array(entropies), np.array(means), np.array(weights, dtype=np.int64))


def deck_amounts(layers: Layers) -> FloatArray:
    """(layers,) how many weights to cut: weights x softmax(R), R = sum of I / I, I = entropy x mean weight.

    R is 0 for a layer with I = 0, which so is cut least, but is cut. The sum of the amounts is no chosen number.
    """
    return layers.weights * _shares(layers.entropy * layers.mean_weight)


def program_amounts(layers: Layers, share: float = 0.5) -> IntArray:
    """(layers,) how many weights to cut; together ``share`` of those of all layers with I > 0, rounded down by layer.

    A layer that would lose more than it has is emptied. What is left is shared anew among the others, with their own
    sum of I.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; it must be from 0 to 1")
    importance = layers.entropy * layers.mean_weight
    open_ones = (importance > 0) & (layers.weights > 0)
    left, amounts = share * layers.weights[open_ones].sum(), np.zeros(len(layers.weights))
    while open_ones.any():
        amounts[open_ones] = left * _shares(importance[open_ones])
        too_many = open_ones & (amounts > layers.weights)
        if not too_many.any():
            break
        amounts[too_many] = layers.weights[too_many]
        left -= layers.weights[too_many].sum()
        open_ones &= ~too_many
    return np.floor(amounts).astype(np.int64)


def guided_cut(tree: Tree, X: ArrayLike, share: float = 0.5) -> NDArray[np.bool_]:
    """(nodes,) whether the edge above a node is among those that a round of the program cuts: in each layer the
    smallest by |weight|. Raises ``ValueError`` for a share beyond 0 to 1, or as ``scaled_rows`` does."""
    nodes, cut = tree.nodes, np.zeros(tree.num_nodes, dtype=bool)
    amounts = program_amounts(layers_of_tree(tree, X, changing_only=True), share)
    parent, size = parents(nodes["depth"]), np.abs(nodes["weight"][:, 0])
    for depth, amount in enumerate(amounts.tolist(), start=2):
        edges = np.flatnonzero((parent >= 0) & (nodes["depth"] == depth) & (size > 0))
        cut[edges[np.argsort(size[edges], kind="stable")[:amount]]] = True
    return cut


def _shares(importance: FloatArray) -> FloatArray:
    inverse = np.divide(importance.sum(), importance, out=np.zeros_like(importance), where=importance > 0)
    powers = np.exp(inverse - inverse.max(initial=0.0))
    return np.asarray(powers / powers.sum()) if len(powers) else powers
