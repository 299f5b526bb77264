"""What compression does to large trees from the pixels of MNIST and Fashion-MNIST.

``formats``: trees of several sizes whose weights have few bits. ``stages``: a dense tree, pruned, with shared weights,
with Huffman codes (Han et al. 2016, Deep compression). ``entropy``: rounds of entropy-guided pruning beside others that
cut as many nodes (deck *Resources Constrained Learning*, slide *Entropy Guided Pruning*). Nothing is trained after
weights got fewer bits; test rows choose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common.images import CLASSES, SIDE
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.growth.pixels import Pixels, shifted
from experiments.studies.deep_compression.edge_bytes import Bytes, dense_bytes, float_bytes, shared_bytes
from experiments.studies.mnist import run as mnist
from experiments.studies.mnist.run import Model, error_of
from neuraltree.compress import WEIGHT_FORMATS, guided_cut, node_states, prune, weight_bits, with_weight_format
from neuraltree.compress.pruning.cut import cut_to
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.tree.tree import Tree

TABLES = ("mnist", "fashion-mnist")
MODELS = {
    "stages": mnist.JOBS["grow_10k"],
    "entropy": Model(10_000, children=(4, 5)),
    "formats_2k": Model(2_000, children=(4,)),
    "formats_10k": mnist.JOBS["grow_10k"],
    "formats_20k": mnist.JOBS["grow_20k"],
    "formats_200k": mnist.JOBS["grow_200k"],
}
SHARED = ("shared5", "shared4", "shared3", "shared2")
WAYS, ROUNDS, CUT, EPOCHS = ("entropy", "magnitude", "taylor", "random"), 4, 0.5, 3
STATE_ROWS = 2_000  # training rows from which the states of nodes come
COLUMNS = ("name", "round", "weights", "hidden", "bytes", "huffman_bytes", "lowest_entropy", "entropy", "test_error")


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = TABLES[:1] if quick else TABLES
    return [Unit(table, job, seed) for seed in range(1 if quick else seeds) for job in MODELS for table in tables]


def model_of(job: str, quick: bool) -> Model:
    return mnist.quick_model(MODELS[job]) if quick else MODELS[job]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    own: dict[str, dict[str, Any]] = {
        "stages": {"shared": SHARED},
        "entropy": {"rounds": [ROUNDS, CUT, EPOCHS], "ways": WAYS, "rows of states": STATE_ROWS},
    }
    about = mnist.settings_of(unit.table, model_of(unit.job, quick), quick)
    return about | own.get(unit.job, {"formats": list(WEIGHT_FORMATS)})


def run(unit: Unit, quick: bool) -> list[Row]:
    parts, pixels, fit = mnist.begun(unit, quick)
    model, again = model_of(unit.job, quick), deepcopy(fit)
    tree = mnist.grown(model, pixels, fit)
    test = mnist.flat(*parts.test)
    if unit.job == "stages":
        dense = mnist.grown(model._replace(weights=most_weights(model, pixels)), pixels, again)
        return [_row(name, each, test, size) for name, each, size in stages(dense, tree)]
    if unit.job == "entropy":
        train = mnist.flat(*parts.train)
        rows = []
        for way in WAYS:
            for place, each in enumerate(rounds_of(tree, *train, way, unit.seed)):
                rows.append(_row(way, each, test) | {"round": place} | _entropies(each, train[0]))
        return rows
    formats = ((name, with_weight_format(tree, name)) for name in WEIGHT_FORMATS)
    edges = int(np.count_nonzero(tree.nodes["depth"]))
    rows = [_row("float", tree, test) | {"bytes": 4 * edges}]
    return rows + [_row(name, each, test) | {"bytes": weight_bits(each, name) // 8} for name, each in formats]


def _row(name: str, tree: Tree, test: tuple[NDArray, NDArray], size: Bytes | None = None) -> Row:
    hidden = int(np.count_nonzero((tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)))
    sizes = {"bytes": size and size.fixed, "huffman_bytes": size and size.huffman}
    about = dict.fromkeys(COLUMNS) | {"name": name, "weights": tree.num_weights, "hidden": hidden}
    return about | sizes | {"test_error": error_of(tree, *test)}


def most_weights(model: Model, pixels: Pixels) -> int:
    """Of the tree that reads every pixel that changes in every hidden node, which have one level."""
    (children,) = model.children
    hidden = CLASSES * children
    return int(np.count_nonzero(pixels.spread)) * hidden + 2 * hidden + CLASSES


def stages(dense: Tree, pruned: Tree) -> Iterator[tuple[str, Tree, Bytes]]:
    """The name, the tree and the bytes of each stage of deep compression."""
    yield "dense", dense, dense_bytes(dense)
    yield "pruned", pruned, float_bytes(pruned)
    for name in SHARED:
        yield name, with_weight_format(pruned, name), shared_bytes(pruned, WEIGHT_FORMATS[name].shared)


def rounds_of(tree: Tree, X: NDArray, y: NDArray, way: str, seed: int) -> Iterator[Tree]:
    """The tree, and then after each round a tree that lost ``CUT`` of what was left and was trained."""
    rng = np.random.default_rng([seed, 2])
    sample = rng.permutation(len(X))[:STATE_ROWS]
    yield tree
    for _ in range(ROUNDS):
        moved = shifted(X.reshape(-1, SIDE, SIDE), 1, rng).reshape(X.shape)
        if way == "entropy":
            scores = np.where(guided_cut(tree, X[sample], CUT), 0.0, np.inf)
            nodes = retrained(cut_to(tree.nodes, scores, 0), lesson_of(tree, moved, y), EPOCHS, rng)
            tree = Tree(nodes, tree.kind, tree.features, tree.classes, tree.scaler)
        else:
            tree = prune(tree, moved, y, CUT, criterion=way, epochs=EPOCHS, steps=1, seed=seed)
        yield tree


def _entropies(tree: Tree, X: NDArray) -> Row:
    """Of the states of hidden nodes, in bits."""
    hidden = (tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)
    found = node_states(tree, X[:STATE_ROWS]).entropy[hidden]
    return {"lowest_entropy": float(found.min()), "entropy": float(found.mean())}


EXPERIMENT = Experiment(
    "deep_compression",
    "number formats, shared weights with Huffman codes and entropy-guided pruning of trees from pixels",
    5,
    COLUMNS,
    units,
    run,
    settings,
)
