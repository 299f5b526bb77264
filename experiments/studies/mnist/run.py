"""Neural trees of 10,000, 20,000 and 200,000 weights from the pixels of MNIST and Fashion-MNIST.

An output per class, each with hidden nodes of its own, whose leaves read pixels. All settings were chosen by the error
on training rows held out; the test rows are scored once, by the finished ``neuraltree.Tree``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.images import CLASSES, DIGESTS, SIDE, images
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.growth.course import Course
from experiments.growth.dense import dense_error, train_dense, width_of
from experiments.growth.pixels import Bytes, Pixels, make_pixels
from experiments.growth.rewiring import State
from experiments.growth.skeleton import Skeleton, make_skeleton, to_nodes
from experiments.growth.tree_training import train
from neuraltree.tree.tree import Tree

VALIDATION = 5_000
COLUMNS = ("weights", "nodes", "depth", "val_error", "test_error", "epochs", "hidden", "activations")


class Model(NamedTuple):
    """``children``: the number of hidden nodes of each class, then of each such node, and so on.

    An ``mlp`` is a network instead of a tree: as wide as ``weights`` allows, or pruned to them from ``hidden`` units.
    """

    weights: int
    children: tuple[int, ...] = (40,)
    course: Course = Course(epochs=30)
    activations: tuple[str, ...] = ("relu",)
    mlp: bool = False
    hidden: int | None = None


SPARSE, DENSE = Course(epochs=30, dense=False), Course(epochs=30)

# Ways to insert leaf edges, from a sparse or a dense start, are compared at 20,000 weights.
JOBS = {
    "grow_20k": Model(20_000),
    "grow_10k": Model(10_000, children=(20,)),
    "grow_200k": Model(200_000, children=(80,), course=DENSE._replace(rate=0.002)),
    "mlp_10k": Model(10_000, mlp=True),
    "mlp_20k": Model(20_000, mlp=True),
    "mlp_200k": Model(200_000, course=DENSE._replace(rate=0.002), mlp=True),
    "sparse_mlp_20k": Model(20_000, mlp=True, hidden=128),
    "sparse_fixed_20k": Model(20_000, course=SPARSE._replace(exchange=0.0)),
    "sparse_random_20k": Model(20_000, course=SPARSE._replace(insertion="random")),
    "sparse_gradient_20k": Model(20_000, course=SPARSE),
    "pruned_20k": Model(20_000, course=DENSE._replace(exchange=0.0)),
    "pruned_random_20k": Model(20_000, course=DENSE._replace(insertion="random")),
}
ON_FASHION = ("grow_20k", "grow_10k", "grow_200k", "mlp_10k", "mlp_20k", "mlp_200k", "sparse_mlp_20k")
QUICK_ROWS = 3_000


class Parts(NamedTuple):
    """Images (rows, side, side) and classes for training, validation and test."""

    train: tuple[Bytes, NDArray]
    validation: tuple[Bytes, NDArray]
    test: tuple[Bytes, NDArray]


def model_of(job: str, quick: bool) -> Model:
    return quick_model(JOBS[job]) if quick else JOBS[job]


def quick_model(model: Model) -> Model:
    hidden = model.hidden and 10
    return model._replace(weights=2_000, children=(10,), hidden=hidden, course=model.course._replace(epochs=1))


def units(seeds: int, quick: bool) -> list[Unit]:
    """Seeds are the outermost loop, so that every model has some results early."""
    if quick:
        return [Unit("mnist", job, 0) for job in JOBS]
    jobs = [("mnist", job) for job in JOBS] + [("fashion-mnist", job) for job in ON_FASHION]
    return [Unit(table, job, seed) for seed in range(seeds) for table, job in jobs]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return settings_of(unit.table, model_of(unit.job, quick), quick)


def settings_of(table: str, model: Model, quick: bool) -> dict[str, Any]:
    return {
        "data": DIGESTS[table],
        "validation": VALIDATION,
        "rows": QUICK_ROWS if quick else None,
        **model._asdict(),
        "course": model.course._asdict(),
        "constants": constants("experiments.growth.rewiring"),
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    model = model_of(unit.job, quick)
    parts, pixels, fit = begun(unit, quick)
    row, error = (_mlp if model.mlp else _tree)(model, pixels, fit)
    errors = {"val_error": error(*parts.validation), "test_error": error(*parts.test)}
    return [row | errors | {"epochs": model.course.epochs, "activations": "+".join(model.activations)}]


def begun(unit: Unit, quick: bool) -> tuple[Parts, Pixels, np.random.Generator]:
    """The images of a unit, those for training as pixels, and the random numbers of the training."""
    split, fit = (np.random.default_rng([unit.seed, part]) for part in range(2))
    parts = _parts(unit.table, quick, split)
    return parts, make_pixels(*parts.train, CLASSES), fit


def _parts(table: str, quick: bool, rng: np.random.Generator) -> Parts:
    found = images(table)
    order, most = rng.permutation(len(found.X)), QUICK_ROWS if quick else None
    chosen = order[VALIDATION:][:most], order[:VALIDATION][:most]
    fit, validation = ((found.X[rows].reshape(-1, SIDE, SIDE), found.y[rows]) for rows in chosen)
    return Parts(fit, validation, (found.test_X[:most].reshape(-1, SIDE, SIDE), found.test_y[:most]))


Error = Callable[[Bytes, NDArray], float]


def _tree(model: Model, pixels: Pixels, rng: np.random.Generator) -> tuple[Row, Error]:
    tree = grown(model, pixels, rng)
    row = {"weights": tree.num_weights, "nodes": tree.num_nodes, "depth": tree.depth}
    hidden = CLASSES * int(np.sum(np.cumprod(model.children)))
    return row | {"hidden": hidden}, lambda X, y: error_of(tree, *flat(X, y))


def error_of(tree: Tree, X: NDArray, y: NDArray) -> float:
    return float(np.mean(tree.predict(X) != y))


def grown_tree(unit: Unit, quick: bool) -> tuple[Tree, tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
    """The tree of a unit's row, and the flat images and classes that it was fitted to, and those of the test."""
    parts, pixels, fit = begun(unit, quick)
    tree = grown(model_of(unit.job, quick), pixels, fit)
    return tree, flat(*parts.train), flat(*parts.test)


def flat(images: Bytes, classes: NDArray) -> tuple[NDArray, NDArray]:
    """Rows of pixels and classes, as a tree takes them."""
    return images.reshape(len(images), -1), classes


def grown(model: Model, pixels: Pixels, rng: np.random.Generator, weights: str | None = None) -> Tree:
    """The trained tree: raw bytes in, digits out. ``weights``: the number format in which its training ends."""
    skeleton, state = trained(model, pixels, rng, weights)
    features = tuple(f"pixel {row} {column}" for row in range(SIDE) for column in range(SIDE))
    nodes = to_nodes(skeleton, state.mask, state.params)
    return Tree(nodes, "multiclass", features, tuple(range(CLASSES)), pixels.scaler)


def trained(
    model: Model, pixels: Pixels, rng: np.random.Generator, weights: str | None = None
) -> tuple[Skeleton, State]:
    """The hidden nodes of the trained tree, and what it has been trained to; ``weights``: as for ``grown``."""
    skeleton = make_skeleton(len(pixels.spread), CLASSES, model.children, model.activations)
    return skeleton, train(skeleton, pixels, skeleton.leaves(model.weights), model.course, rng, weights)


def _mlp(model: Model, pixels: Pixels, rng: np.random.Generator) -> tuple[Row, Error]:
    width = model.hidden or width_of(model.weights, len(pixels.spread), CLASSES)
    network = train_dense(pixels, width, model.course, rng, model.weights if model.hidden else None)
    row = {"weights": network.weights, "nodes": None, "depth": None, "hidden": width}
    return row, lambda X, y: dense_error(network, pixels, X, y)


EXPERIMENT = Experiment("mnist", "large trees from pixels", 10, COLUMNS, units, run, settings)
