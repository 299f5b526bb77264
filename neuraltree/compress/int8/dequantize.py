"""The float tree whose weights are those of the 8-bit model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuraltree.compress.int8.integer_tree import about_middle, input_range, linear_topped
from neuraltree.compress.int8.integers import quantize
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.tree.nodes import parents
from neuraltree.tree.simplify import simplify
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree


def dequantized(tree: Tree) -> Tree:
    """``tree`` with every weight and bias rounded as 8-bit code rounds it, and without the edges that become dead.

    Only weights and biases are rounded: inputs and values are neither rounded nor clamped. So its predictions lie
    between those of ``tree`` and of ``quantize_tree(tree)``. ``ValueError`` if the tree has several targets, or if a
    node has too many children or too large a sum for 8 bits.
    """
    tree = about_middle(tree)
    refuse_several_targets(tree.kind, tree.num_outputs, "int8 code")
    nodes = linear_topped(tree).copy()
    with np.errstate(all="ignore"):
        numbers = quantize(nodes, input_range(tree))
        edge = numbers.weight * (numbers.unit[parents(nodes["depth"])] * UNIT / numbers.range)
        bias = numbers.bias * numbers.unit
    if not (np.isfinite(edge).all() and np.isfinite(bias).all()):
        raise ValueError("a node's sum is too large for 8 bits; train the model with smaller weights")
    nodes["weight"][:, 0] = np.where(numbers.keep & (nodes["depth"] > 0), edge, 0.0)
    nodes["bias"][:, 0] = np.where(nodes["op"] < 0, bias, 0.0)
    return replace(tree, nodes=simplify(nodes))
