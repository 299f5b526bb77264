"""Scalers folded into a tree: the same function of raw inputs, exact but for rounding (double precision)."""

from __future__ import annotations

import numpy as np

from neuraltree.activations import code_of
from neuraltree.tree.nodes import Nodes, is_leaf, parents
from neuraltree.tree.scaler import Scaler


def fold_inputs(nodes: Nodes, scaler: Scaler) -> Nodes:
    """w (x − μ)/σ = (w/σ) x − (w/σ) μ: the first term stays at the leaf, the second goes into the parent's bias."""
    nodes = nodes.copy()
    leaf = np.flatnonzero(is_leaf(nodes))
    feature = nodes["op"][leaf]
    nodes["weight"][leaf] /= scaler.scale[feature, None]
    shift = nodes["weight"][leaf] * scaler.mean[feature, None]
    np.subtract.at(nodes["bias"], parents(nodes["depth"])[leaf], shift)
    return nodes


def fold_target(nodes: Nodes, scaler: Scaler) -> Nodes:
    """σ (Σ w h + b) + μ goes into each linear output; any other output gets a linear one above it.

    ``scaler`` has a column for each output.
    """
    nodes = nodes.copy()
    identity = ~code_of("identity")
    top = np.flatnonzero(nodes["depth"] == 0)
    if nodes["op"][0] == identity:
        edges = np.flatnonzero(nodes["depth"] == 1)
        nodes["weight"][edges] *= scaler.scale[np.searchsorted(top, edges) - 1, None]
        nodes["bias"][top] = nodes["bias"][top] * scaler.scale[:, None] + scaler.mean[:, None]
        return nodes
    nodes["depth"] += 1
    nodes["weight"][top] = scaler.scale[:, None]
    above = np.zeros(len(top), dtype=nodes.dtype)
    above["op"], above["bias"] = identity, scaler.mean[:, None]
    return np.insert(nodes, top, above)
