"""The functions of an exported model that can be measured: their calls, and whether their results are the tree's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import number_format
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export.c.bound import tree_bounds
from neuraltree.export.c.columns.column_vectors import features
from neuraltree.export.c.self_test import expected, vectors
from neuraltree.export.needed import Read, needed, reads
from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.measured import Cost
from neuraltree.tree.tree import Tree

NAME = "model"
# The usual inputs among the test vectors; those before them are the mean and far outside on both sides.
USUAL = slice(3, 11)
SHARE_TOLERANCE = 1e-5  # of a probability whose logit is exact


class Model(NamedTuple):
    """What calls are made of: the exported tree, the same tree without columns, what it reads of them, its integers if
    it has any, and the rows."""

    tree: Tree
    alone: Tree
    reads: Sequence[Read]
    integers: IntegerTree | None
    X: NDArray[np.float32]

    def features(self) -> tuple[NDArray[np.floating], FloatArray | None]:
        """(rows, features) of the tree without columns, and how far off those in C may be."""
        return features(self.reads, self.X) if self.reads else (self.X, None)


class Measurable(NamedTuple):
    """Which models have the function, its calls, and whether their results are those of the tree in Python."""

    present: Callable[[Model], bool]
    call: Callable[[Model], Call]
    agrees: Callable[[Model, Cost], bool]


def model_of(tree: Tree, precision: str, *, fine: bool) -> Model:
    """``ValueError`` if the tree cannot be exported."""
    tree = needed(tree)
    alone, read = (tree, ()) if tree.columns is None else reads(tree)
    integers = quantize_tree(alone, fine=fine) if number_format(precision).is_integer else None
    return Model(tree, alone, read, integers, vectors(tree, integers)[: USUAL.stop])


def measurable(function: str, model: Model) -> Measurable:
    """The row of a function; ``ValueError`` if the model has none of this name."""
    if function not in FUNCTIONS or not FUNCTIONS[function].present(model):
        allowed = ", ".join(name for name, row in FUNCTIONS.items() if row.present(model))
        raise ValueError(f"this model has no function {function!r} to measure; allowed: {allowed}")
    return FUNCTIONS[function]


def _predict(model: Model) -> Call:
    return Call(f"{NAME}_predict", [(row,) for row in model.X], "float32" if model.tree.classes is None else "int32")


def _predicts(model: Model, cost: Cost) -> bool:
    wanted, tolerance = expected(model.tree, model.integers, model.X)
    return cost.results is not None and bool((np.abs(cost.results - wanted) <= tolerance).all())


def _predict_q(model: Model) -> Call:
    assert model.integers is not None
    q = model.integers.quantize(model.features()[0])
    q = q if q.shape[1] else np.zeros((len(q), 1), np.int8)  # C has no empty arrays
    return Call(f"{NAME}_predict_q", [(row,) for row in q], "int32")


def _predicts_q(model: Model, cost: Cost) -> bool:
    assert model.integers is not None
    q = model.integers.quantize(model.features()[0])
    return cost.results is not None and np.array_equal(cost.results, model.integers.predict_q(q))


def _probabilities(model: Model) -> Call:
    shares = np.zeros(len(model.tree.classes or ()), np.float32)
    return Call(f"{NAME}_probabilities", [(row, shares) for row in model.X])


def _shares(model: Model, cost: Cost) -> bool:
    X, wrong = model.features()
    off = np.abs(cost.arrays[1] - (model.integers or model.alone).predict_proba(X))
    if model.integers is not None:
        return bool((off <= SHARE_TOLERANCE).all())
    values, errors = tree_bounds(model.alone, X, wrong)
    # A probability is off by at most what a logit is off, and a share of sigmoids by twice the sum of their errors.
    sigmoids = model.alone.output_activation != "identity" and values.shape[1] > 1
    bounds = 2 * errors.sum(axis=1) / values.sum(axis=1) if sigmoids else errors.max(axis=1)
    return bool((off <= SHARE_TOLERANCE + bounds[:, None]).all())


FUNCTIONS = {
    "predict": Measurable(lambda model: True, _predict, _predicts),
    "predict_q": Measurable(lambda model: model.integers is not None, _predict_q, _predicts_q),
    "probabilities": Measurable(lambda model: model.tree.classes is not None, _probabilities, _shares),
}
