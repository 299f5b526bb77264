"""What the loss rises by if an edge is cut and the mean of what came through it goes into the bias of its parent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.edge_slopes import Passed, passed


def ablation(found: Passed) -> FloatArray:
    """(nodes,) of the edge above each node, exactly; infinite for outputs."""
    scores = np.full(len(found.nodes), np.inf)
    for i in np.flatnonzero(found.parent >= 0).tolist():
        scores[i] = found.rise_with(i, np.full(found.values.shape[1], found.means[i]))
    return scores


def input_ablation(found: Passed) -> FloatArray:
    """(nodes,) of each leaf: what the loss rises by if its input is its mean everywhere. Function nodes: infinite."""
    scores, op = np.full(len(found.nodes), np.inf), found.nodes["op"]
    for feature in np.unique(op[op >= 0]).tolist():
        inputs = found.lesson.inputs.copy()
        inputs[:, feature] = np.average(inputs[:, feature], weights=found.lesson.weight)
        without = replace(found.lesson, inputs=inputs)
        scores[op == feature] = passed(found.nodes, without, found.fold).loss - found.loss
    return scores
