"""Scalers folded into a tree: the same function of raw inputs, exact but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.tree.nodes import Nodes, is_leaf, parents
from neuraltree.tree.scaler import Scaler

FOLDING_ERROR = 1e-4  # of an input in single floats, in its standard deviations: what folding its mean may cost
ROUNDINGS = 4  # of half a unit in the last place: the weight, its product, the constant and their sum


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


def far(scaler: Scaler) -> NDArray[np.bool_]:
    """(features,) the inputs whose mean cannot be folded in single floats for less than ``FOLDING_ERROR``.

    Folded, w x / scale and w mean / scale are rounded one by one, each by a share of itself, and then all but cancel.
    """
    half = float(np.finfo(np.float32).eps) / 2
    return np.asarray(ROUNDINGS * half * np.abs(scaler.mean) > FOLDING_ERROR * scaler.scale)


def centres(scaler: Scaler) -> NDArray[np.float64]:
    """(features,) what single-float code takes off each raw input first: the mean of a far one as a single float, or 0.

    Near the mean the difference of two single floats is exact; what the mean lost by rounding is left to be folded.
    """
    with np.errstate(over="ignore"):  # infinite: refused where it would be written
        return np.where(far(scaler), scaler.mean.astype(np.float32), 0).astype(np.float64)
