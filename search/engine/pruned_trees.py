"""First trees made by pruning: dense trees are trained, and lose their least important edges step by step.

Random structures of the size that a device has room for start far behind on tables of several classes, whose outputs
share no nodes. What is left of a dense tree after pruning by importance (LeCun, Denker & Solla 1990, "Optimal brain
damage", here with magnitude times spread) is a good structure of every size on the way.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from neuraltree.compress.pruning.cut import cut_to
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.space import Space, TreeError, check
from search.engine.evaluate import Problem, trained
from search.variation.edge_operators import importance

STARTS = 2  # dense trees
HIDDEN = (2, 8)  # fewest and most hidden nodes of an output
WIDE = 600  # nodes of a dense tree, about, that decide between them
LARGEST = 5000  # nodes of the largest dense tree; a larger one takes longer than it is worth
SHRINK = 0.75  # the share of the nodes that a step leaves
FIRST_EPOCHS, EPOCHS = 2.0, 0.4  # of a dense tree, and after each step; times those of a generation
RATE = 2.0  # times the learning rate of a generation
STREAM = 2**31 + 32  # of the shuffles; one more for each step
WEIGHTS = 2**31 + 17  # the stream of the first weights


def pruned_trees(problem: Problem, most: int) -> list[Nodes]:
    """At most ``most`` trained trees of sizes from ``max_nodes`` down, in all folds; none if the space has no room."""
    rng = np.random.default_rng((problem.seed, WEIGHTS))
    space = problem.space
    hidden = int(np.clip(WIDE // (space.n_outputs * (space.n_features + 1)), *HIDDEN)) if space.max_depth > 1 else 0
    size = space.n_outputs * (1 + space.n_features + hidden * (1 + space.n_features))
    if size > LARGEST:
        return []
    trees = [_dense(rng, space, hidden, len(problem.folds)) for _ in range(STARTS)]
    trees = _further(problem, trees, FIRST_EPOCHS, 0)
    found: list[Nodes] = []
    least, step = 2 * space.n_outputs, 0
    while size > least:
        size, step = _next_size(size, space.max_nodes, least), step + 1
        trees = _further(problem, [cut_to(tree, importance(tree), size) for tree in trees], EPOCHS, step)
        for tree in trees:
            with suppress(TreeError):  # it may still be too large, or have nodes with too many children
                check(tree, space)
                found.append(tree)
    chosen = np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)
    return [found[i] for i in chosen.tolist()]


def _next_size(size: int, most: int, least: int) -> int:
    smaller = max(least, int(SHRINK * size))
    return most if size > most > smaller else smaller


def _dense(rng: np.random.Generator, space: Space, hidden: int, folds: int) -> Nodes:
    """Outputs that read all inputs, and ``hidden`` nodes with random activations each that read all inputs."""
    features = list(range(space.n_features))
    depth, op = list[int](), list[int]()
    for _ in range(space.n_outputs):
        depth += [0] + [1] * len(features) + ([1] + [2] * len(features)) * hidden
        op += [~space.output_code, *features]
        for code in rng.choice(space.codes, size=hidden).tolist():
            op += [~code, *features]
    nodes = np.zeros(len(depth), dtype=node_dtype(folds))
    nodes["depth"], nodes["op"] = depth, op
    return redraw_weights(rng, nodes)


def _further(problem: Problem, trees: list[Nodes], share: float, step: int) -> list[Nodes]:
    return trained(problem, trees, STREAM + step, epochs=int(np.ceil(share * problem.epochs)), faster=RATE)
