"""Trees for calibration and for judging it: random trees, and trees trained on scikit-learn's bundled tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.compress.formats import INPUT_TYPES, INTEGER_INPUTS
from neuraltree.compress.int8.ranges import fit_input_range
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.simplify import simplify
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

LEAST_NODES, MOST_NODES = 10, 220
EPOCHS = 30
TABLES = ("iris", "wine", "breast_cancer", "diabetes")
# What jumps is priced as another activation, and is not drawn: `--activation` measures it alone.
DRAWN = tuple(row.name for row in ACTIVATIONS if row.jump is None)


def of_floats(trees: Sequence[Tree]) -> list[tuple[Tree, str]]:
    """Each tree with float inputs."""
    return [(tree, "float32") for tree in trees]


def with_types(trees: Sequence[Tree], seed: int) -> list[tuple[Tree, str]]:
    """Each tree with float inputs, and every second one with integers as well, of each type in turn.

    The means and ranges of integers are new, within and partly beyond what the type holds.
    """
    rng = np.random.default_rng((seed, 3))
    found = of_floats(trees)
    for i, tree in enumerate(trees[::2]):
        kind = INTEGER_INPUTS[i % len(INTEGER_INPUTS)]
        found.append((_as_integers(rng, tree, kind), kind))
    return found


def _as_integers(rng: np.random.Generator, tree: Tree, kind: str) -> Tree:
    low, high = INPUT_TYPES[kind].low, INPUT_TYPES[kind].high
    share = rng.uniform(0.02, 0.3, len(tree.features))
    mean = (low + high) / 2 + (high - low) * rng.uniform(-0.2, 0.2, len(tree.features))
    return replace(tree, scaler=Scaler(mean, share * (high - low) / 4))


def random_trees(count: int, seed: int) -> list[Tree]:
    """Trees of all tasks, sizes (spread evenly over their logarithm), arities, depths and sets of activations.

    The inputs of every fourth tree are so far from 0 that float code subtracts their means first.
    """
    rng = np.random.default_rng((seed, 0))
    kinds = ("regression", "binary", "multiclass")
    return [_random(rng, kinds[i % 3], 1e5 if i % 4 == 3 else 5) for i in range(count)]


def _random(rng: np.random.Generator, kind: str, spread: float) -> Tree:
    features = int(rng.integers(4, 31))
    outputs = int(rng.integers(3, 7)) if kind == "multiclass" else 1
    space = _space(rng, features, outputs)
    scaler = Scaler(spread * rng.normal(size=features), np.exp(rng.normal(size=features)))
    target = Scaler(rng.normal(size=1), np.exp(rng.normal(size=1))) if kind == "regression" else None
    classes = {"regression": None, "binary": (0, 1), "multiclass": tuple(range(outputs))}[kind]
    nodes = simplify(random_tree(rng, space, max_nodes=space.max_nodes))
    names = tuple(f"x{i}" for i in range(features))
    return Tree(nodes, kind, names, classes, scaler, target, rng.uniform(1.7, 5.0, features))


def _space(rng: np.random.Generator, features: int, outputs: int) -> Space:
    size = int(np.exp(rng.uniform(np.log(max(LEAST_NODES, 5 * outputs)), np.log(MOST_NODES))))
    chosen = rng.permutation(DRAWN)[: int(rng.integers(1, len(DRAWN) + 1))]
    arity, depth = int(rng.integers(2, 9)), int(rng.integers(2, 9))
    return Space(
        features, outputs, tuple(map(str, chosen)), max_nodes=size, max_arity=arity, max_depth=depth, min_arity=1
    )


def trained_trees(count: int, seed: int) -> list[Tree]:
    """``count`` random structures, trained for a few epochs; trees that diverged are left out."""
    rng = np.random.default_rng((seed, 1))
    share = -(-count // len(TABLES))
    found = [tree for name in TABLES for tree in _trained_on(rng, name, share)]
    return found[:count] if count % len(TABLES) == 0 else [found[i] for i in rng.permutation(len(found))[:count]]


def _trained_on(rng: np.random.Generator, name: str, count: int) -> Iterator[Tree]:
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    scaler = Scaler.fit(X)
    Z = scaler.transform(X)
    regression = name == "diabetes"
    classes = None if regression else tuple(range(int(y.max()) + 1))
    kind = "regression" if regression else "binary" if len(classes or ()) == 2 else "multiclass"
    target = Scaler.fit(y[:, None]) if regression else None
    outputs = len(classes or ()) if kind == "multiclass" else 1
    structures = [_structure(rng, X.shape[1], outputs) for _ in range(count)]
    wanted = target.transform(y[:, None])[:, 0] if target else y
    names = tuple(f"x{i}" for i in range(X.shape[1]))
    for nodes in _fitted(structures, kind, outputs, Z, wanted):
        yield Tree(simplify(nodes), kind, names, classes, scaler, target, fit_input_range(Z))


def _structure(rng: np.random.Generator, features: int, outputs: int) -> Nodes:
    space = _space(rng, features, outputs)
    return random_tree(rng, space, max_nodes=space.max_nodes)


def _fitted(structures: list[Nodes], kind: str, outputs: int, Z: NDArray, target: NDArray) -> Iterator[Nodes]:
    """The structures after training, without those that diverged."""
    from neuraltree.engine.forest import load_params, pack, store_params
    from neuraltree.engine.lowering import lowering
    from neuraltree.engine.training import Settings, make_course, make_data
    from neuraltree.tasks.task import encode, make_task

    task = make_task(kind, outputs if kind == "multiclass" else 2)
    nodes, starts = join(structures)
    packed = pack(nodes, starts, Z.shape[1])
    settings = Settings(loss=task.loss)
    data = make_data(Z, encode(task, target), None, settings.precision)
    rows = np.arange(len(Z))
    course = make_course(settings, rows, rows[:0], epochs=EPOCHS, patience=0, seed=0)
    params, limit = load_params(packed, nodes, settings.precision)[0], np.full(len(structures), EPOCHS)
    fitted = lowering().train(packed.forest, settings, data, course, params, limit)
    trained = store_params(packed, nodes, fitted.params[None])
    for tree in np.split(trained, starts[1:-1]):
        if np.isfinite(tree["weight"]).all() and np.isfinite(tree["bias"]).all():
            yield tree
