"""The test of a crate: its predictions for test vectors against those of Python."""

from __future__ import annotations

import numpy as np

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.export.c.parts import number
from neuraltree.export.c.self_test import expected, vectors
from neuraltree.export.names import MARK
from neuraltree.tree.tree import Tree

TEST = f"""//! Compares the model with Python. {MARK}; do not edit.
#![allow(clippy::approx_constant, clippy::excessive_precision)]

use {{crate}}::{{{{predict, INPUTS}}}};

static X: [[f32; INPUTS]; {{rows}}] = [
{{inputs}}
];
const WANTED: [{{kind}}; {{rows}}] = [{{wanted}}];
const TOLERANCE: [{{kind}}; {{rows}}] = [{{tolerance}}];

#[test]
fn every_vector_is_right() {{{{
    for (i, x) in X.iter().enumerate() {{{{
        let found = predict(x){{cast}};
        let wanted = WANTED[i];
        assert!((found - wanted).abs() <= TOLERANCE[i], "vector {{{{i}}}}: {{{{found}}}} instead of {{{{wanted}}}}");
    }}}}
}}}}
"""


def test_file(tree: Tree, crate: str, integers: IntegerTree | None) -> str:
    """``tests/vectors.rs``; ``integers`` is made of the features alone that the tree reads."""
    X = vectors(tree, integers)
    wanted, tolerance = expected(tree, integers, X)
    written = number if tree.classes is None else _whole
    return TEST.format(
        crate=crate,
        rows=len(X),
        inputs="\n".join(f"    [{', '.join(map(_cell, row))}]," for row in X.tolist()),
        kind="f32" if tree.classes is None else "i32",
        wanted=", ".join(map(written, wanted.tolist())),
        tolerance=", ".join(map(written, tolerance.tolist())),
        cast="" if tree.classes is None else " as i32",
    )


def _whole(value: float) -> str:
    return str(int(value))


def _cell(value: float) -> str:
    return "f32::NAN" if np.isnan(value) else number(value)
