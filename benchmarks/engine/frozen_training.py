"""What whole frozen subtrees would save in the engine, beside the operations that they save.

The most that freezing can bring without another kernel: the deepest share of the hidden nodes of each tree is frozen,
and each frozen subtree becomes a leaf that reads its values, which are computed once and kept as a further input of
each row. An epoch then trains what is left. Which nodes are frozen changes from epoch to epoch, so that the forest is
packed and values are computed anew. CPU seconds, the fastest of several repetitions: ``python -m
benchmarks.run frozen_training``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.promise.reporting import report
from neuraltree.arrays import FloatArray
from neuraltree.cli.markdown import table
from neuraltree.engine.forest import load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, is_leaf, join, parents, subtree_end
from neuraltree.tree.space import Space
from neuraltree.updating.operations import Mask, operations, wiring_of

FEATURES, ROWS, TREES, NODES, EPOCHS, REPEATS = 10, 1000, 100, (120, 500), 5, 20
SHARES = (0.25, 0.5, 0.75, 0.9)
SETTINGS = Settings("squared", "adam", batch_size=64)
ABOUT = """{trees} random trees and {rows} rows of {features} inputs, one thread. The deepest share of the hidden nodes
is frozen, and the values of whole frozen subtrees are kept. In % of an epoch that trains every node: operations saved
if values are kept; CPU time saved if the same nodes stay frozen; CPU time saved if the forest is packed and all values
are computed anew for each epoch, as a choice by velocities can need. To cut the trees in Python takes longer than the
epoch itself, and is not counted."""


class Kept(NamedTuple):
    """Trees whose frozen subtrees are leaves, and these subtrees as trees, in the order of the inputs they became."""

    trees: list[Nodes]
    subtrees: list[Nodes]


def deepest(nodes: Nodes, share: float) -> Mask:
    """(nodes,) the share of a tree's hidden nodes that is farthest from its outputs."""
    hidden = np.flatnonzero(~is_leaf(nodes) & (nodes["depth"] > 0))
    order = hidden[np.argsort(-nodes["depth"][hidden], kind="stable")]
    found = np.zeros(len(nodes), bool)
    found[order[: round(share * len(hidden))]] = True
    return found


def keep(trees: list[Nodes], share: float, features: int) -> Kept:
    """Each subtree, all of whose nodes are frozen, becomes a leaf of a further input, from ``features`` on."""
    subtrees: list[Nodes] = []
    cut = []
    for nodes in trees:
        frozen, parent = deepest(nodes, share), parents(nodes["depth"])
        left, made = np.ones(len(nodes), bool), nodes.copy()
        for top in np.flatnonzero(frozen & ~frozen[parent]):
            end = subtree_end(nodes["depth"], top)
            subtree = nodes[top:end].copy()
            subtree["depth"] -= subtree["depth"][0]
            made["op"][top], made["bias"][top] = features + len(subtrees), 0
            left[top + 1 : end] = False
            subtrees.append(subtree)
        cut.append(made[left])
    return Kept(cut, subtrees)


def values_of(subtrees: list[Nodes], inputs: NDArray) -> FloatArray:
    """(rows, subtrees) the value of each for scaled inputs (rows, features)."""
    nodes, starts = join(subtrees)
    packed = pack(nodes, starts, inputs.shape[1])
    data = make_data(inputs, np.zeros((len(inputs), 1)), None, SETTINGS.precision)
    params, rows = load_params(packed, nodes, SETTINGS.precision)[0], np.arange(len(inputs), dtype=np.int32)
    return lowering().predict(packed.forest, SETTINGS, data, rows, params)[:, 0].T


def epoch_s(trees: list[Nodes], inputs: NDArray, targets: NDArray) -> float:
    """CPU seconds of an epoch of training."""
    nodes, starts = join(trees)
    packed = pack(nodes, starts, inputs.shape[1])
    data, rows = make_data(inputs, targets, None, SETTINGS.precision), np.arange(len(inputs))
    course = make_course(SETTINGS, rows, rows[:0], epochs=EPOCHS, patience=0, seed=0)
    params, limit = load_params(packed, nodes, SETTINGS.precision)[0], np.full(len(trees), EPOCHS)
    return least_s(lambda: lowering().train(packed.forest, SETTINGS, data, course, params, limit)) / EPOCHS


def least_s(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(REPEATS):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def measured(size: int) -> list[dict[str, Any]]:
    """A row for each share, of trees of up to ``size`` nodes."""
    rng = np.random.default_rng(0)
    space = Space(FEATURES, 1, ("tanh", "sigmoid", "gaussian", "relu"), "identity", 2 * size, 6, 5)
    trees = [random_tree(rng, space, max_nodes=size) for _ in range(TREES)]
    inputs = rng.standard_normal((ROWS, FEATURES))
    targets = inputs[:, :1]
    wiring = wiring_of(join(trees)[0])
    full, whole = operations(wiring, np.zeros(len(wiring.fan_in), bool)).total, epoch_s(trees, inputs, targets)
    rows = []
    for share in SHARES:
        frozen = np.concatenate([deepest(nodes, share)[~is_leaf(nodes)] for nodes in trees])
        kept = keep(trees, share, FEATURES)
        wide = np.concatenate([inputs, values_of(kept.subtrees, inputs)], axis=1)
        left = epoch_s(kept.trees, wide, targets)
        between = least_s(lambda kept=kept: (values_of(kept.subtrees, inputs), pack(*join(kept.trees), FEATURES)))
        saved = {"operations": operations(wiring, frozen, frozen).total / full, "kept": left / whole}
        saved["anew"] = (left + between) / whole
        rows.append({"nodes": size, "share": share} | {name: 1 - float(each) for name, each in saved.items()})
    return rows


def page(result: dict[str, Any]) -> str:
    header = ("trees of up to", "share frozen", "operations, %", "time, values kept, %", "time, chosen anew, %")
    lines = [
        [
            f"{row['nodes']} nodes",
            f"{row['share']:g}",
            *(f"{100 * row[name]:.0f}" for name in ("operations", "kept", "anew")),
        ]
        for row in result["rows"]
    ]
    about = ABOUT.format(trees=TREES, rows=ROWS, features=FEATURES)
    return f"# Frozen subtrees in the engine\n\nMade by `{result['command']}`. {about}\n\n{table(header, lines)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/frozen_training.json"), help="default: %(default)s")
    options = parser.parse_args()
    report("frozen_training", {"rows": [row for size in NODES for row in measured(size)]}, page, options.out)


if __name__ == "__main__":
    main()
