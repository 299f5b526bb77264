"""What the edges from inputs take in Huffman codes; C in style "coded" has them, with a limit to gaps."""

from __future__ import annotations

import numpy as np

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.weights.huffman import Coded, encoded
from neuraltree.tree.nodes import parents


def coded_edges(tree: IntegerTree) -> tuple[Coded, Coded]:
    """The weights of all edges from inputs, and for each how much further its input is than the one before it in the
    same node, both coded."""
    leaf = np.flatnonzero(tree.nodes["op"] >= 0)
    parent = parents(tree.nodes["depth"])[leaf]
    place = np.searchsorted(tree.inputs.features, tree.nodes["op"][leaf])
    order = np.lexsort((place, parent))
    place, is_first = place[order], np.diff(parent[order], prepend=-1) > 0
    gaps = np.where(is_first, place, np.diff(place, prepend=0))
    return encoded(tree.numbers.weight[leaf[order]].tolist()), encoded(gaps.tolist())
