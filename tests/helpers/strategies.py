"""Hypothesis strategies: node records and whole trees, drawn without the program's own generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from neuraltree.activations import NAMES
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

steady = settings(derandomize=True, deadline=None, max_examples=50)  # the same examples on every machine

SIGMOID, IDENTITY = 0, 5
HIDDEN = tuple(range(len(NAMES)))

unit = st.floats(-1, 1)
any_double = st.floats(allow_nan=False, allow_infinity=False)
probabilities = st.floats(0, 1, exclude_min=True, exclude_max=True)
sparse = st.sampled_from([0.0, 0.0, 0.5, -0.5]) | unit  # zeros, and weights that cancel


@st.composite
def node_arrays(
    draw: Any,
    n_features: int = 4,
    n_outputs: int = 1,
    folds: int = 1,
    output: int = IDENTITY,
    values: st.SearchStrategy[float] = unit,
    min_arity: int = 1,
    max_arity: int = 4,
    max_depth: int = 4,
) -> Nodes:
    """A record of ``folds`` folds; few features and a high arity make repeated inputs common."""
    rows: list[tuple[int, int, list[float], list[float]]] = []
    numbers = st.lists(values, min_size=folds, max_size=folds)

    def grow(depth: int) -> None:
        if depth and (depth == max_depth or draw(st.booleans())):
            rows.append((depth, draw(st.integers(0, n_features - 1)), draw(numbers), [0.0] * folds))
            return
        code = output if depth == 0 else draw(st.sampled_from(HIDDEN))
        rows.append((depth, ~code, draw(numbers) if depth else [0.0] * folds, draw(numbers)))
        for _ in range(draw(st.integers(min_arity if depth else max(1, min_arity), max_arity))):
            grow(depth + 1)

    for _ in range(n_outputs):
        grow(0)
    return np.array(rows, dtype=node_dtype(folds))


labels = st.one_of(*(st.lists(kind, min_size=2, max_size=4, unique=True) for kind in (st.text(), st.integers())))


@st.composite
def scalers(draw: Any, columns: int, values: st.SearchStrategy[float] = any_double) -> Scaler:
    mean = draw(st.lists(values, min_size=columns, max_size=columns))
    scale = draw(st.lists(st.floats(1e-3, 1e3), min_size=columns, max_size=columns))
    return Scaler(np.array(mean), np.array(scale))


@st.composite
def trees(
    draw: Any,
    values: st.SearchStrategy[float] = any_double,
    kinds: tuple[str, ...] | None = None,
    max_targets: int = 1,
) -> Tree:
    """A tree of any kind with any names, with and without scalers; a regression with up to ``max_targets`` targets."""
    kind = draw(st.sampled_from(kinds or ("regression", "binary", "multiclass")))
    features = draw(st.lists(st.text(), min_size=1, max_size=5, unique=True))
    classes = None if kind == "regression" else tuple(draw(labels))
    if kind == "binary":
        classes = classes[:2] if classes else None
    n_outputs = len(classes) if kind == "multiclass" and classes else 1
    if kind == "regression" and max_targets > 1:
        n_outputs = draw(st.integers(1, max_targets))
    output = IDENTITY if kind == "binary" else draw(st.sampled_from([SIGMOID, IDENTITY]))
    nodes = draw(node_arrays(len(features), n_outputs, output=output, values=values, max_arity=3, max_depth=3))
    scaler = draw(st.none() | scalers(len(features), values))
    target_scaler = draw(st.none() | scalers(n_outputs, values)) if kind == "regression" else None
    width = len(features)
    reach = draw(st.none() | st.lists(st.floats(0.1, 10), min_size=width, max_size=width).map(np.array))
    threshold = draw(st.just(0.5) | probabilities) if kind == "binary" else 0.5
    largest = 1e6 if kind == "regression" else 1.0
    band = None if kind == "regression" and n_outputs > 1 else draw(st.none() | st.floats(0, largest))
    return Tree(nodes, kind, tuple(features), classes, scaler, target_scaler, reach, threshold=threshold, band=band)
