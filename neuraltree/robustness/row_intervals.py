"""Between which ends the outputs of a tree lie if every input of a row may change: intervals for many rows at once.

After Gowal et al. (2018), "On the effectiveness of interval bound propagation", https://arxiv.org/abs/1810.12715.

The ends hold for the doubles that the tree computes, not for real numbers alone. A product by a weight, a sum in a
fixed order and a scaling each round once, and rounding never reverses an order: as the ends pass through the same
operations in the same order, no computed value can leave them. Only the inputs and the activations, whose last digits
need not be in order, are widened.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import INF, Activation
from neuraltree.arrays import FloatArray
from neuraltree.compress.reduction.sum_intervals import Ends, image_of
from neuraltree.tree.nodes import Nodes

ULPS = 8 * float(np.finfo(np.float64).eps)  # relative; activations are right to 2 units in the last place or better
TINY = 1e-300  # a value below may have lost all digits
FAR = 1e6  # sums further from 0 than this leave only the bounds of an activation that rises and falls


def input_ends(rows: FloatArray, radius: FloatArray | float) -> Ends:
    """(rows, features) the ends of scaled inputs ``rows`` that each change by ``radius``, one for all or (rows,)."""
    radius = np.reshape(radius, (-1, 1))
    wide = radius + ULPS * (np.abs(rows) + radius)
    return Ends(rows - wide, rows + wide)


@np.errstate(all="ignore")  # infinities and NaN are passed on; nothing is certain about them
def output_ends(nodes: Nodes, inputs: Ends, fold: int | NDArray[np.integer] = 0) -> Ends:
    """(outputs, rows) the ends of the outputs for inputs between ``inputs`` (rows, features) in scaled units.

    ``fold``: whose weights, one for all rows or (rows,).
    """
    depth = nodes["depth"].tolist()
    sums = np.zeros((max(depth) + 2, 2, len(inputs.low)))  # one running sum per depth, as in ``prediction.run``
    outputs = []
    for i in range(len(nodes) - 1, -1, -1):  # a node after all its children
        op, level = int(nodes["op"][i]), depth[i]
        if op >= 0:
            ends = np.stack([inputs.low[:, op], inputs.high[:, op]])
        else:
            ends = image(ACTIVATIONS[~op], sums[level + 1] + nodes["bias"][i, fold])
            sums[level + 1] = 0.0
        if level:
            products = nodes["weight"][i, fold] * ends
            sums[level, 0] += np.minimum(*products)
            sums[level, 1] += np.maximum(*products)
        else:
            outputs.append(ends)
    low, high = np.stack(outputs[::-1], axis=1)
    return Ends(low, high)


def image(row: Activation, sums: FloatArray) -> FloatArray:
    """(2, ...) ends between which the computed values of an activation lie, for sums between ``sums`` (2, ...).

    A sum that may overflow may be NaN, as infinities of two signs add up to it and infinity has no sine: any value.
    """
    sure = np.isfinite(sums).all(axis=0)
    return np.where(sure, _image_of_numbers(row, sums), np.reshape([-INF, INF], (2, *[1] * sure.ndim)))


def _image_of_numbers(row: Activation, sums: FloatArray) -> FloatArray:
    found = np.stack(image_of(row, Ends(*sums)))
    if row.pieces or row.jump is not None:
        return found  # comparisons alone, which do not round
    found += np.reshape([-1, 1], (2, *[1] * (found.ndim - 1))) * (ULPS * np.abs(found) + TINY)
    if row.rises:
        return found
    far = np.abs(sums).max(axis=0) > FAR
    return np.where(far, np.reshape(row.bounds, (2, *[1] * (found.ndim - 1))), found)
