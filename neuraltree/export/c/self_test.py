"""The program that checks exported code on the machine for which it is compiled, and its test vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integer_tree import IntegerTree, input_range
from neuraltree.export.c.bound import error_bound
from neuraltree.export.c.parts import literal
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

ROWS = 32


def test_files(tree: Tree, name: str, integers: IntegerTree | None) -> dict[str, str]:
    """``test/NAME_test.c`` and ``test/NAME_vectors.h``; the program returns 0 if all vectors give the right result."""
    X = vectors(tree)
    wanted, tolerance = expected(tree, integers, X)
    regression = tree.classes is None
    kind = "float" if regression else "int"
    values = [literal(v) if regression else str(v) for v in wanted.tolist()]
    header = "\n".join(
        [
            f"/* {len(X)} raw inputs, the result of {name}_predict for each, and the tolerance of that result. */",
            f"static const float nt_inputs[{len(X)}][{X.shape[1]}] = {{",
            *("    {" + ", ".join(literal(v) for v in row) + "}," for row in X.tolist()),
            "};",
            f"static const {kind} nt_expected[{len(X)}] = {{{', '.join(values)}}};",
            f"static const {kind} nt_tolerance[{len(X)}] = {{"
            + ", ".join(literal(v) if regression else str(int(v)) for v in tolerance.tolist())
            + "};",
            "",
        ]
    )
    return {f"test/{name}_vectors.h": header, f"test/{name}_test.c": _program(name, len(X), regression)}


def vectors(tree: Tree) -> NDArray[np.float32]:
    """(32, features) raw inputs: the mean, far outside on both sides, and standard normal in standardised units; if
    the tree has an 8-bit range of its own, every second one of the latter is uniform within that range."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(ROWS, len(tree.features)))
    Z[0], Z[1], Z[2] = 0.0, 6.0, -6.0
    if tree.input_middle is not None:
        Z[3::2] = tree.input_middle + input_range(tree) * rng.uniform(-1, 1, Z[3::2].shape)
    scaler = tree.scaler or Scaler(np.zeros(Z.shape[1]), np.ones(Z.shape[1]))
    with np.errstate(over="ignore"):
        X = scaler.inverse(Z).astype(np.float32)
    largest = np.finfo(np.float32).max
    return np.clip(X, -largest, largest)


def expected(tree: Tree, integers: IntegerTree | None, X: NDArray[np.float32]) -> tuple[NDArray, NDArray]:
    """The results of ``predict`` and their tolerances. If rounding can change a class, its tolerance is the number of
    classes, so that any class passes. The tolerance of integer code is 0."""
    if integers is not None:
        found = integers.predict_q(integers.quantize(X))
        return integers.outputs.values(found) if tree.classes is None else found, np.zeros(len(X))
    centred, taken = tree.centred()
    values, errors = error_bound(centred.folded(), X.astype(np.float64) - taken)
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


def _program(name: str, rows: int, regression: bool) -> str:
    kind, text = ("float", "%.9g") if regression else ("int", "%d")
    cast = "(double)" if regression else ""
    return f"""/* Compile it with the model and run: cc -std=c99 -I. {name}.c test/{name}_test.c -o check && ./check */
#include <stdio.h>

#include "../{name}.h"
#include "{name}_vectors.h"

int main(void)
{{
    int i, wrong = 0;
    for (i = 0; i < {rows}; ++i) {{
        const {kind} found = {name}_predict(nt_inputs[i]);
        const {kind} off = found - nt_expected[i];
        if (!(off <= nt_tolerance[i] && -off <= nt_tolerance[i])) {{
            printf("vector %d: {text} instead of {text}\\n", i, {cast}found, {cast}nt_expected[i]);
            ++wrong;
        }}
    }}
    printf("%d of {rows} vectors are right\\n", {rows} - wrong);
    return wrong != 0;
}}
"""
