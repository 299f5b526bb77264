"""Whether the sum of an output is normal at birth if many hidden nodes enter it, over random weights.

Sums of many independent terms are normal in the limit (Neal 1996, *Bayesian learning for neural networks*, section
2.1.1; Lee et al. 2018, https://arxiv.org/abs/1711.00165, section 2.2).
"""

from __future__ import annotations

import numpy as np

from experiments.studies.savings.starting_nets import pixel_nodes
from neuraltree.arrays import FloatArray
from neuraltree.engine.forest import load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Settings, make_data
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.nodes import join

FEATURES, LEAVES = 8, 4
MOST_NODES = 500_000  # of the trees that are drawn at once


def sums(width: int, draws: int, seed: int) -> FloatArray:
    """(draws,) the output of a tree with ``width`` ReLU nodes of four leaves each, on one fixed random row, its weights
    drawn anew by the generator of random trees."""
    rng = np.random.default_rng([seed, width])
    tree = pixel_nodes(rng, FEATURES, 1, width * (2 + LEAVES) + 1, width)
    copies = max(1, min(draws, MOST_NODES // len(tree)))
    nodes, starts = join([tree] * copies)
    packed, settings = pack(nodes, starts, FEATURES), Settings("squared")
    data = make_data(rng.standard_normal((1, FEATURES)), np.zeros((1, 1)), None, "float32")
    row, found = np.zeros(1, np.int32), []
    for _ in range(-(-draws // copies)):
        params = load_params(packed, redraw_weights(rng, nodes), "float32")[0]
        found.append(lowering().predict(packed.forest, settings, data, row, params)[:, 0, 0])
    return np.concatenate(found)[:draws].astype(np.float64)
