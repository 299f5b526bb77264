"""The program that checks exported code on the machine for which it is compiled, and its test vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.input_types import in_units
from neuraltree.compress.int8.integer_tree import IntegerTree, input_range
from neuraltree.export.c.argument import Argument, sources_of
from neuraltree.export.c.bound import tree_bounds
from neuraltree.export.c.columns.column_vectors import checked, column_vectors, features, steady
from neuraltree.export.c.integer_vectors import in_types, initialiser
from neuraltree.export.c.parts import FLASH, array, literal
from neuraltree.export.c.vector_program import vector_program
from neuraltree.export.needed import Read, reads
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

ROWS = 32


def test_files(tree: Tree, argument: Argument, integers: IntegerTree | None) -> dict[str, str]:
    """``test/NAME_test.c`` and ``test/NAME_vectors.h``; the program returns 0 if all vectors give the right result.

    ``tree`` has no columns but those of which it reads a feature; ``integers`` is made of its features alone.
    """
    name = argument.name
    X = vectors(tree, integers, argument)
    wanted, tolerance = expected(tree, integers, X, argument)
    regression = tree.classes is None
    kind, show = ("float", literal) if regression else ("int16_t", lambda value: str(int(value)))
    width = "" if argument.is_struct else f"[{X.shape[1]}]"
    header = "\n".join(
        [
            *(["#include <math.h>\n"] if tree.columns is not None else []),
            FLASH,
            f"/* {len(X)} raw inputs, the result of {name}_predict for each, and the tolerance of that result. */",
            f"static const {argument.c_type} nt_inputs[{len(X)}]{width} NT_FLASH = {{",
            *(f"    {initialiser(argument, row)}," for row in X.tolist()),
            "};",
            array(kind, "nt_expected", list(map(show, wanted.tolist()))),
            array(kind, "nt_tolerance", list(map(show, tolerance.tolist()))),
            *_checks(tree, argument, X),
        ]
    )
    return {f"test/{name}_vectors.h": header, f"test/{name}_test.c": vector_program(tree, argument, *X.shape)}


def _checks(tree: Tree, argument: Argument, X: NDArray[np.floating]) -> list[str]:
    """What ``NAME_check`` returns for each input, if the tree has columns."""
    if tree.columns is None:
        return []
    return [
        f"/* The column that {argument.name}_check names for each: unlike those seen, or -1. */",
        array("int16_t", "nt_checked", checked(tree.columns, X, argument.inputs).tolist()),
    ]


def vectors(tree: Tree, integers: IntegerTree | None = None, argument: Argument | None = None) -> NDArray[np.floating]:
    """(32, features) raw inputs, or (rows, columns) numbers of columns if the tree has columns; see ``_inputs``.

    Of the latter there are up to 32: those for which rounding of features in single floats cannot change ``integers``.
    Where the ``argument`` has integers, these are rounded, and some rows are the edges of their types.
    """
    inputs = () if argument is None or argument.is_float else argument.inputs
    if tree.columns is None:
        return in_types(inputs, _inputs(tree, ROWS)) if inputs else _inputs(tree, ROWS)
    X: NDArray[np.floating] = column_vectors(tree.columns, _inputs(tree, 2 * ROWS))
    X = in_types(inputs, X) if inputs else X
    return X[:ROWS] if integers is None else X[steady(reads(tree)[1], integers, X, inputs)][:ROWS]


def _inputs(tree: Tree, rows: int) -> NDArray[np.float32]:
    """(rows, features) raw inputs: the mean, far outside on both sides, and standard normal in standardised units; if
    the tree has an 8-bit range of its own, every second one of the latter is uniform within that range."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(rows, len(tree.features)))
    Z[0], Z[1], Z[2] = 0.0, 6.0, -6.0
    if tree.input_middle is not None:
        Z[3::2] = tree.input_middle + input_range(tree) * rng.uniform(-1, 1, Z[3::2].shape)
    scaler = tree.scaler or Scaler(np.zeros(Z.shape[1]), np.ones(Z.shape[1]))
    with np.errstate(over="ignore"):
        X = scaler.inverse(Z).astype(np.float32)
    largest = np.finfo(np.float32).max
    return np.clip(X, -largest, largest)


def expected(
    tree: Tree, integers: IntegerTree | None, X: NDArray[np.floating], argument: Argument | None = None
) -> tuple[NDArray, NDArray]:
    """The results of ``predict`` and their tolerances. If rounding can change a class, its tolerance is the number of
    classes, so that any class passes. The tolerance of integer code is 0.

    ``X`` has columns if the tree has; then ``integers`` is made of the features that the tree reads.
    """
    wrong, inputs = None, () if argument is None else argument.inputs
    read: tuple[Read, ...] = ()
    if tree.columns is not None:
        tree, read = reads(tree)
        X, wrong = features(read, X, inputs)
    if integers is not None:
        found = integers.predict_q(integers.quantize(X))
        return integers.outputs.values(found) if tree.classes is None else found, np.zeros(len(X))
    tree = in_units(tree, () if argument is None else sources_of(argument, read))
    values, errors = tree_bounds(tree, X, wrong)
    if tree.classes is None:
        return np.clip(values[:, 0], *_single()), np.clip(errors[:, 0], 0, _single()[1])
    if tree.kind == "binary":
        above = values[:, 0] - tree.logit_threshold
        return (above > 0).astype(int), (np.abs(above) <= errors[:, 0]).astype(int)
    order = np.sort(values, axis=1)
    close = order[:, -1] - order[:, -2] <= 2 * errors.max(axis=1)
    return values.argmax(axis=1), np.where(close, values.shape[1], 0)


def _single() -> tuple[float, float]:
    return float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)
