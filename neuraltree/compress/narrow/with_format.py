"""A tree whose weights take only the values of a number format, and the bits that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import about_middle, input_range, linear_topped, middle_of
from neuraltree.compress.int8.integers import quantize
from neuraltree.compress.weights.clusters import clusters
from neuraltree.compress.weights.snapping import Snaps
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS, weight_format
from neuraltree.tree.folding import fold_inputs
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.simplify import simplify
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

OUTPUTS = ("int8", "same")
VALUE_BITS = 32  # of each value that weights share
LEAST_SHARED = 100  # weights below which a table of values costs more than it saves


def with_weight_format(tree: Tree, name: str, *, outputs: str = "int8") -> Tree:
    """``tree`` with weights that take only the values of the format ``name``, a key of ``WEIGHT_FORMATS``.

    Repeated inputs of a node are merged first, and edges whose weight becomes 0 are dropped. Biases, inputs and values
    of nodes stay exact. ``outputs``: edges into outputs are few and matter most, so they have 8 bits, or the ``same``
    format as all others; in the formats of floats they always do. Floats are those that code for raw inputs stores:
    weights with the scalers folded into them. Integers have a scale per node and stand for weights
    in units of the children's ranges, as 8-bit code has them: ``quantize_tree(tree, weights=name)`` has the same
    integers. ``ValueError`` for an unknown format, for weights that are beyond it, for shared weights of a small tree,
    and for integers in a tree of several targets or with more children than 8-bit code takes.
    """
    row = weight_format(name)
    if outputs not in OUTPUTS:
        raise ValueError(f"outputs must be one of {', '.join(OUTPUTS)}, not {outputs!r}")
    tree = replace(tree, nodes=simplify(tree.nodes), int8_loss=None, band=None)
    if row.cast is not None:
        return _cast(tree, row.cast)
    if row.shared:
        tree = _shared(tree, row.shared, outputs)
    int8 = WEIGHT_FORMATS["int8"].snap
    return _snapped(tree, Snaps(row.snap, int8 if outputs == "int8" else row.snap))


def weight_bits(tree: Tree, name: str, *, outputs: str = "int8") -> int:
    """The bits of all weights of a tree in a format, without biases, the positions of inputs and the scales of nodes,
    which need the same in every format. The values that weights share are counted."""
    row = weight_format(name)
    edges, into_outputs = (int(np.count_nonzero(tree.nodes["depth"] > depth)) for depth in (0, 1))
    wide = 0 if row.cast is not None or outputs == "same" else edges - into_outputs
    return (edges - wide) * row.bits + wide * WEIGHT_FORMATS["int8"].bits + row.shared * VALUE_BITS


def check_sharing(weights: int, word: str = "the tree has") -> None:
    """``ValueError`` if a tree has so few weights that a table of the values that they share would be no gain."""
    if weights < LEAST_SHARED:
        raise ValueError(
            f"{word} {weights} weights that could share values; below {LEAST_SHARED} the values cost more than they "
            "save: take int8 or int4"
        )


def _cast(tree: Tree, cast: Callable[[ArrayLike], FloatArray]) -> Tree:
    if tree.target_scaler is not None and tree.output_activation != "identity":  # an edge above the outputs in code
        tree = replace(tree, target_scaler=Scaler(tree.target_scaler.mean, cast(tree.target_scaler.scale)))
    folded = tree.centred()[0].folded()
    in_code = (folded if len(folded) == tree.num_nodes else folded[folded["depth"] > 0])["weight"]
    nodes = tree.nodes.copy()
    nodes["weight"] *= np.divide(cast(in_code), in_code, out=np.ones_like(in_code), where=in_code != 0)
    return replace(tree, nodes=simplify(nodes))


def _shared(tree: Tree, count: int, outputs: str) -> Tree:
    nodes = tree.nodes.copy()
    shared = nodes["depth"] > (1 if outputs == "int8" else 0)
    check_sharing(int(shared.sum()))
    values, places = clusters(nodes["weight"][shared, 0], count)
    nodes["weight"][shared, 0] = values[places]
    return replace(tree, nodes=simplify(nodes))


def _snapped(tree: Tree, snaps: Snaps) -> Tree:
    if snaps == Snaps(None, None):
        return tree
    refuse_several_targets(tree.kind, tree.num_outputs, "weights in integers")
    centred = about_middle(tree)
    topped = linear_topped(centred)
    with np.errstate(all="ignore"):
        edges = quantize(topped, input_range(centred), snaps=snaps).edge[len(topped) - len(centred.nodes) :]
    if not np.isfinite(edges).all():
        raise ValueError("a node's sum is too large for integers; train the model with smaller weights")
    nodes = centred.nodes.copy()
    nodes["weight"][:, 0] = edges
    return replace(tree, nodes=simplify(about_zero(nodes, tree)))


def about_zero(nodes: Nodes, tree: Tree) -> Nodes:
    """The nodes of ``about_middle(tree)``, or of a change to them, for inputs about 0 as ``tree`` has them."""
    middle = middle_of(tree)
    return fold_inputs(nodes, Scaler(middle, np.ones(len(middle))))
