"""Between which integers the scores of an 8-bit tree lie if every input of a row may change: exact integer arithmetic.

Every step of 8-bit code keeps the order of its integers or is a table whose extremes between two indices are known, so
the ends are integers that code computes, and nothing is rounded outwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import IntegerTree, scaler_of
from neuraltree.compress.int8.integers import scaled, value_interval
from neuraltree.compress.int8.lookup_tables import FINE
from neuraltree.compress.int8.stages import InputStage, MixedStage
from neuraltree.tree.nodes import IntArray


class IntegerEnds(NamedTuple):
    """The lower and the upper ends of intervals of integers, arrays of one shape."""

    low: IntArray
    high: IntArray


def integer_input_ends(model: IntegerTree, rows: FloatArray, radius: FloatArray | float) -> IntegerEnds:
    """(used inputs, rows) the ends of the quantised inputs of raw rows (rows, features) of which each input changes by
    ``radius`` standard deviations, one for all or (rows,)."""
    wide = np.reshape(radius, (-1, 1)) * scaler_of(model.source).scale * (1.0 if model.units is None else model.units)
    low, high = np.nextafter(rows - wide, -np.inf), np.nextafter(rows + wide, np.inf)
    stage = model.inputs.integers if isinstance(model.inputs, MixedStage) else model.inputs
    if not isinstance(stage, InputStage):  # whole numbers change to whole numbers of their range
        at, own = stage.features, rows[:, stage.features]
        low[:, at] = np.minimum(np.maximum(np.ceil(low[:, at]), stage.low), own)
        high[:, at] = np.maximum(np.minimum(np.floor(high[:, at]), stage.high), own)
    ends = (model.quantize(end).T.astype(np.int64) for end in (low, high))
    return IntegerEnds(*ends)


def score_ends(model: IntegerTree, inputs: IntegerEnds) -> IntegerEnds:
    """(rows, outputs) the ends of the scores for quantised inputs between ``inputs`` (used inputs, rows)."""
    nodes, numbers = model.nodes, model.numbers
    place = {feature: i for i, feature in enumerate(model.inputs.features.tolist())}
    depth = nodes["depth"].tolist()
    sums = np.zeros((max(depth) + 2, 2, inputs.low.shape[1]), dtype=np.int64)  # one running sum per depth
    outputs = []
    for i in range(len(nodes) - 1, -1, -1):  # a node after all its children
        op, level = int(nodes["op"][i]), depth[i]
        fine = model.fine and level == 1
        if op >= 0:
            ends: NDArray = np.stack([inputs.low[place[op]], inputs.high[place[op]]]) * (FINE if fine else 1)
        else:
            total = sums[level + 1] + numbers.bias[i]
            sums[level + 1] = 0
            if not level:
                outputs.append(total)
                continue
            low, high = scaled(total, numbers.multiplier[i], numbers.shift[i])
            ends = np.stack(value_interval(~op, low, high, fine))
        products = numbers.weight[i] * ends
        sums[level, 0] += products.min(axis=0)
        sums[level, 1] += products.max(axis=0)
    return IntegerEnds(*(model.outputs.scores(end.T) for end in np.stack(outputs[::-1], axis=1)))
