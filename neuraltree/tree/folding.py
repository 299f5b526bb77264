"""Scalers folded into the weights of a tree: the same function of raw inputs, exact except for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.tree.nodes import Nodes, is_leaf, parents
from neuraltree.tree.scaler import Scaler

FOLDING_ERROR = 1e-4  # largest error by folding an input's mean in single floats, in standard deviations of the input
ROUNDINGS = 4  # of half a unit in the last place each: of the weight, its product, the constant and their sum


def fold_inputs(nodes: Nodes, scaler: Scaler) -> Nodes:
    """Fold the scaler of the inputs: w (x − μ)/σ = (w/σ) x − (w/σ) μ.

    The first term stays at the leaf, the second goes into the parent's bias.
    """
    nodes = nodes.copy()
    leaf = np.flatnonzero(is_leaf(nodes))
    feature = nodes["op"][leaf]
    nodes["weight"][leaf] /= scaler.scale[feature, None]
    shift = nodes["weight"][leaf] * scaler.mean[feature, None]
    np.subtract.at(nodes["bias"], parents(nodes["depth"])[leaf], shift)
    return nodes


def fold_target(nodes: Nodes, scaler: Scaler) -> Nodes:
    """Fold the scaler of the targets, which has one column per output.

    A linear output takes σ (Σ w h + b) + μ into its weights and bias. Any other output gets a linear one above it.
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
    """(features,) whether folding the mean of an input in single floats costs more than ``FOLDING_ERROR``.

    After folding, w x / scale and w mean / scale are rounded separately, each relative to its size, and then almost
    cancel. The rounding error that remains is large if the mean is large compared to the scale.
    """
    half = float(np.finfo(np.float32).eps) / 2
    return np.asarray(ROUNDINGS * half * np.abs(scaler.mean) > FOLDING_ERROR * scaler.scale)


def centres(scaler: Scaler) -> NDArray[np.float64]:
    """(features,) the number that single-float code first subtracts from each raw input: the mean of a far input, or 0.

    The mean is rounded to a single float. Near it, the difference of two single floats is exact. The part of the mean
    that rounding removes is folded.
    """
    with np.errstate(over="ignore"):  # an infinite centre is refused when code is written
        return np.where(far(scaler), scaler.mean.astype(np.float32), 0).astype(np.float64)
