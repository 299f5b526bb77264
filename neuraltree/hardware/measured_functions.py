"""The functions of an exported model that can be measured: their calls, and whether their results are the tree's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import InputSpec, c_format
from neuraltree.compress.input_types import in_units
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export.c.argument import Argument, argument_of, narrowed, sources_of
from neuraltree.export.c.bound import tree_bounds
from neuraltree.export.c.columns.column_vectors import features
from neuraltree.export.c.integer_vectors import HIGHEST, LOWEST, ZERO, arrays
from neuraltree.export.c.self_test import expected, vectors
from neuraltree.export.needed import Read, needed, reads
from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.measured import Cost
from neuraltree.tree.tree import Tree

NAME = "model"
# The usual inputs among the test vectors; those before them are the mean and far outside on both sides.
USUAL = slice(3, 11)
# The same of vectors of integers, some of which are the edges of their types: these come before the usual ones.
USUAL_INTEGERS = [LOWEST, HIGHEST, ZERO, *range(9, 17)]
SHARE_TOLERANCE = 1e-5  # of a probability whose logit is exact


class Model(NamedTuple):
    """What calls are made of: the exported tree, the same tree without columns, what it reads of them, its integers if
    it has any, and the rows."""

    tree: Tree
    alone: Tree
    reads: Sequence[Read]
    integers: IntegerTree | None
    X: NDArray[np.floating]
    argument: Argument

    def features(self) -> tuple[NDArray[np.floating], FloatArray | None]:
        """(rows, features) of the tree without columns, and how far off those in C may be."""
        return features(self.reads, self.X, self.argument.inputs) if self.reads else (self.X, None)

    @property
    def rows(self) -> list[NDArray]:
        """The argument of each row as it lies in memory."""
        return arrays(self.argument, self.X)


class Measurable(NamedTuple):
    """Which models have the function, its calls, and whether their results are those of the tree in Python."""

    present: Callable[[Model], bool]
    call: Callable[[Model], Call]
    agrees: Callable[[Model, Cost], bool]


def model_of(tree: Tree, precision: str, *, fine: bool, inputs: InputSpec = "float32") -> Model:
    """``ValueError`` if the tree cannot be exported. ``alone`` takes the numbers that C takes."""
    inputs, tree = narrowed(tree, inputs), needed(tree)
    alone, read = (tree, ()) if tree.columns is None else reads(tree)
    argument = argument_of(tree, NAME, inputs)
    sources, row = sources_of(argument, read), c_format(precision)
    integers = quantize_tree(alone, fine=fine, sources=sources, weights=row.weights) if row.is_integer else None
    X = vectors(tree, integers, argument)
    X = X[: USUAL.stop] if argument.is_float else X[USUAL_INTEGERS]
    return Model(tree, in_units(alone, sources), read, integers, X, argument)


def measurable(function: str, model: Model) -> Measurable:
    """The row of a function; ``ValueError`` if the model has none of this name."""
    if function not in FUNCTIONS or not FUNCTIONS[function].present(model):
        allowed = ", ".join(name for name, row in FUNCTIONS.items() if row.present(model))
        raise ValueError(f"this model has no function {function!r} to measure; allowed: {allowed}")
    return FUNCTIONS[function]


def _predict(model: Model) -> Call:
    return Call(f"{NAME}_predict", [(row,) for row in model.rows], "float32" if model.tree.classes is None else "int")


def _predicts(model: Model, cost: Cost) -> bool:
    wanted, tolerance = expected(model.tree, model.integers, model.X, model.argument)
    return cost.results is not None and bool((np.abs(cost.results - wanted) <= tolerance).all())


def _predict_q(model: Model) -> Call:
    assert model.integers is not None
    q = model.integers.quantize(model.features()[0])
    q = q if q.shape[1] else np.zeros((len(q), 1), np.int8)  # C has no empty arrays
    return Call(f"{NAME}_predict_q", [(row,) for row in q], "int32" if model.tree.classes is None else "int")


def _predicts_q(model: Model, cost: Cost) -> bool:
    assert model.integers is not None
    q = model.integers.quantize(model.features()[0])
    return cost.results is not None and np.array_equal(cost.results, model.integers.predict_q(q))


def _probabilities(model: Model) -> Call:
    shares = np.zeros(len(model.tree.classes or ()), np.float32)
    return Call(f"{NAME}_probabilities", [(row, shares) for row in model.rows])


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


def _predict_fixed(model: Model) -> Call:
    return Call(f"{NAME}_predict_fixed", [(row,) for row in model.rows], "int32")


def _confidence(model: Model) -> Call:
    return Call(f"{NAME}_confidence", [(row,) for row in model.rows], "uint8")


def _fixed(model: Model, cost: Cost) -> bool:
    assert model.integers is not None
    return cost.results is not None and np.array_equal(cost.results, model.integers.predict_fixed(model.features()[0]))


def _confident(model: Model, cost: Cost) -> bool:
    assert model.integers is not None
    return cost.results is not None and np.array_equal(cost.results, model.integers.confidence(model.features()[0]))


FUNCTIONS = {
    "predict": Measurable(lambda model: True, _predict, _predicts),
    "predict_q": Measurable(
        lambda model: model.integers is not None and model.argument.is_float, _predict_q, _predicts_q
    ),
    "probabilities": Measurable(lambda model: model.tree.classes is not None, _probabilities, _shares),
    "predict_fixed": Measurable(
        lambda model: model.integers is not None and model.tree.classes is None, _predict_fixed, _fixed
    ),
    "confidence": Measurable(
        lambda model: model.integers is not None and model.tree.classes is not None, _confidence, _confident
    ),
}
