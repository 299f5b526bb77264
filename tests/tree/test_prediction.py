"""Predictions: one row as plain numbers, few rows and many give the same, in bounded memory."""

from __future__ import annotations

import copy
import io
import math
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.tasks.links import LINKS, largest
from neuraltree.tree import prediction
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import evaluate_recursive, sigmoid
from tests.helpers.strategies import IDENTITY, SIGMOID, steady, trees, unit

ROWS = np.random.default_rng(2).normal(size=(40, 5)) * 2
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e308, 1e-320, 750.0, -750.0, 1e200]


def make(rows: list[tuple[int, int, float, float]], kind: str = "regression", **parts: Any) -> Tree:
    nodes = np.array(rows, dtype=node_dtype())
    return Tree(nodes, kind, tuple(f"x{i}" for i in range(parts.pop("width", 1))), **parts)


def every_kind(width: int = 6) -> list[Tree]:
    """A tree of each kind that uses all activations below its outputs, and scalers."""
    hidden = [row for code in range(len(NAMES)) for row in ((1, ~code, 0.7 - code / 5, 0.1), (2, code % 6, -1.2, 0))]
    scaler = Scaler(np.linspace(-1, 1, width), np.linspace(0.5, 2, width))
    bias = (0.3, -0.1, 0.2)
    return [
        make(
            [(0, ~IDENTITY, 0, 0.3), *hidden], width=width, scaler=scaler, target_scaler=Scaler(*np.full((2, 1), 9.0))
        ),
        make([row for b in bias for row in ((0, ~SIGMOID, 0, b), *hidden)], width=width, scaler=scaler),
        make([(0, ~IDENTITY, 0, 0.3), *hidden], "binary", classes=("no", "yes"), width=width, scaler=scaler),
        make(
            [row for b in bias for row in ((0, ~IDENTITY, 0, b), *hidden)], "multiclass", classes=(3, 1, 2), width=width
        ),
        make(
            [row for b in bias for row in ((0, ~SIGMOID, 0, b), *hidden)], "multiclass", classes=(3, 1, 2), width=width
        ),
    ]


def near(tree: Tree, X: np.ndarray) -> dict[str, float]:
    """Tolerance: a last bit of an activation is to be seen against the largest term of a sum."""
    inputs = X if tree.scaler is None else tree.scaler.transform(X)
    scale = 1.0 if tree.target_scaler is None else max(1.0, tree.target_scaler.scale.max())
    return {"rtol": 1e-12, "atol": 1e-13 * scale * max(1.0, np.abs(inputs).max())}


@steady
@given(trees(values=unit, max_targets=3))
def test_outputs_are_the_recursive_evaluator_s(tree: Tree) -> None:
    X = ROWS[:6, : len(tree.features)]
    inputs = X if tree.scaler is None else (X - tree.scaler.mean) / tree.scaler.scale
    expected = np.array([evaluate_recursive(tree.nodes, z) for z in inputs])
    if tree.target_scaler is not None:
        expected = expected * tree.target_scaler.scale + tree.target_scaler.mean
    np.testing.assert_allclose(tree.outputs(X), expected, **near(tree, X))


@steady
@given(trees(values=unit, max_targets=3))
def test_one_row_alone_is_the_row_among_others(tree: Tree) -> None:
    X = ROWS[:6, : len(tree.features)]
    together, labels = tree.outputs(X), tree.predict(X)
    for x, row, label in zip(X, together, labels, strict=True):
        one = tree.predict_one(x.tolist())
        if tree.classes is None:
            np.testing.assert_allclose(one, label, **near(tree, X))
            assert isinstance(one, float if tree.num_outputs == 1 else tuple)
            continue
        np.testing.assert_allclose(tree.predict_proba_one(x), tree.predict_proba([x])[0], **near(tree, X))
        margin = np.sort(row if len(row) > 1 else [tree.logit_threshold, row[0]])
        if margin[-1] - margin[-2] > 1e-9 or margin[-1] == margin[-2]:  # else the last bit decides
            assert one == label
            assert type(one) is type(tree.classes[0])


@steady
@given(trees(values=unit, max_targets=3), st.integers(0, 9))
def test_the_bits_do_not_depend_on_the_number_of_rows(tree: Tree, extra: int) -> None:
    X = ROWS[: 20 + extra, : len(tree.features)]
    methods: list[Callable] = [tree.outputs, tree.predict, *([tree.predict_proba] if tree.classes else [])]
    for method in methods:
        whole = method(X)
        assert b"".join(method(x[None]).tobytes() for x in X) == whole.tobytes()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prediction, "CHUNK", 10)
            patch.setattr(prediction, "FEW", 3)
            assert method(X).tobytes() == whole.tobytes()
            assert method(X).dtype == whole.dtype


@pytest.mark.parametrize("code", range(len(NAMES)), ids=NAMES)
def test_each_function_for_single_numbers_is_the_one_for_arrays(code: int) -> None:
    sums = [*SPECIAL, *np.linspace(-40, 40, 1001).tolist()]
    with np.errstate(all="ignore"):
        expected = ACTIVATIONS[code].value(np.array(sums))
        np.testing.assert_array_equal([prediction.ALONE[code](s) for s in sums], expected)
    np.testing.assert_allclose([prediction.PLAIN[code](s) for s in sums], expected, rtol=1e-15, atol=0)
    assert all(type(functions[code](s)) is float for s in sums for functions in (prediction.PLAIN, prediction.ALONE))


@pytest.mark.parametrize("output", range(len(NAMES)), ids=NAMES)
@pytest.mark.parametrize("hidden", range(len(NAMES)), ids=NAMES)
def test_what_is_not_finite_gives_the_same_in_every_way(hidden: int, output: int) -> None:
    tree = make(
        [(0, ~output, 0, 0.1), (1, ~hidden, -1.5, 0.2), (2, 0, 0.8, 0), (2, 1, -0.4, 0), (1, 1, 0.3, 0)],
        width=2,
        target_scaler=Scaler(*np.full((2, 1), 2.0)),
    )
    X = np.array([(a, b) for a in SPECIAL for b in (*SPECIAL, 0.5)])
    many = tree.predict(X)
    np.testing.assert_array_equal(np.concatenate([tree.predict(x[None]) for x in X]), many)
    np.testing.assert_allclose([tree.predict_one(x) for x in X.tolist()], many, rtol=1e-12)
    assert np.isnan(many).any()


@pytest.mark.parametrize("tree", every_kind()[2:], ids=["binary", "multiclass", "sigmoids"])
def test_classes_of_what_is_not_finite(tree: Tree) -> None:
    X = np.array([np.where(np.arange(6) == i, value, 0.4) for value in SPECIAL for i in range(6)])
    labels, shares = tree.predict(X), tree.predict_proba(X)
    assert labels.tolist() == [tree.predict_one(x) for x in X.tolist()]
    assert labels.tolist() == [tree.predict(x[None])[0] for x in X]
    np.testing.assert_allclose([tree.predict_proba_one(x) for x in X.tolist()], shares, rtol=1e-12, atol=1e-300)


floats = st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]) | st.floats()


@steady
@given(st.lists(floats, min_size=2, max_size=12))
def test_the_largest_is_that_of_numpy(values: list[float]) -> None:
    assert largest(values) == np.argmax(values)


@steady
@given(st.sampled_from(sorted(LINKS)), st.lists(st.floats(0, 1), min_size=2, max_size=12), st.sampled_from([1, 700]))
def test_a_link_of_one_row_is_that_of_many(name: str, values: list[float], factor: float) -> None:
    outputs = [value * factor for value in values]
    with np.errstate(all="ignore"):
        expected = LINKS[name].rows(np.array([outputs, outputs]))[1]
    np.testing.assert_allclose(LINKS[name].row(outputs), expected, rtol=1e-12)


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda x: x.tolist(),
    "tuple": tuple,
    "double": lambda x: x,
    "single": lambda x: x.astype(np.float32),
    "int": lambda x: x.astype(np.int16),
    "list of ints": lambda x: x.astype(int).tolist(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tree", every_kind(), ids=["one", "three", "binary", "multiclass", "sigmoids"])
def test_a_row_may_be_any_sequence_and_the_answer_is_plain(tree: Tree, form: str) -> None:
    x = FORMS[form](np.array([3.0, -2.0, 1.0, 0.0, 4.0, -5.0]))
    assert tree.predict_one(x) == pytest.approx(tree.predict([x])[0], rel=1e-12)
    found = tree.predict_one(x)
    kind = {"regression": float, "binary": str, "multiclass": int}[tree.kind]
    parts = found if isinstance(found, tuple) else (found,)
    assert all(type(part) is kind for part in parts)
    assert len(parts) == (tree.num_outputs if tree.kind == "regression" else 1)
    if tree.classes:
        assert all(type(share) is float for share in tree.predict_proba_one(x))
        assert sum(tree.predict_proba_one(x)) == pytest.approx(1)


def test_a_row_by_hand() -> None:
    nodes = [(0, ~IDENTITY, 0, 0.5), (1, 0, 2.0, 0), (1, ~1, -1.5, 0.25), (2, 1, 3.0, 0)]
    scaler = Scaler(np.array([10.0, -4.0]), np.array([2.0, 0.5]))
    total = 0.5 + 2.0 * 0.5 - 1.5 * math.tanh(0.25 - 3.0 * 0.5)
    tree = make(nodes, scaler=scaler, target_scaler=Scaler(np.array([100.0]), np.array([7.0])), width=2)
    assert tree.predict_one([11, -4.25]) == pytest.approx(100 + 7 * total, rel=1e-12)
    tree = make(nodes, "binary", scaler=scaler, classes=("no", "yes"), width=2)
    assert tree.predict_one((11, -4.25)) == "yes"
    assert tree.predict_proba_one((11, -4.25)) == pytest.approx((1 - sigmoid(total), sigmoid(total)), rel=1e-12)


def test_only_the_length_of_a_row_is_checked() -> None:
    tree = every_kind()[2]
    for method in (tree.predict_one, tree.predict_proba_one):
        with pytest.raises(ValueError, match="x has 5 values; the tree needs 6"):
            method([0.0] * 5)
    with pytest.raises(ValueError, match="a regression tree has no class probabilities; use predict"):
        every_kind()[0].predict_proba_one([0.0] * 6)


@pytest.mark.parametrize("tree", every_kind(), ids=["one", "three", "binary", "multiclass", "sigmoids"])
def test_copies_leave_the_cache_behind_and_are_equal(tree: Tree) -> None:
    fresh, before = pickle.dumps(tree), hash(tree)
    tree.predict(ROWS[:, [0, 1, 2, 3, 4, 0]])
    assert "_program" in vars(tree)
    assert (pickle.dumps(tree), hash(tree)) == (fresh, before)
    file = io.BytesIO()
    joblib.dump(tree, file)
    file.seek(0)
    for twin in (pickle.loads(fresh), copy.copy(tree), copy.deepcopy(tree), joblib.load(file)):
        assert not [name for name in vars(twin) if name.startswith("_")]
        assert twin == tree
        assert hash(twin) == before
        assert not twin.nodes.flags.writeable
        assert twin.predict_one([0.5] * 6) == tree.predict_one([0.5] * 6)


def test_what_a_tree_predicts_with_cannot_be_changed_under_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        every_kind()[0].scaler.mean[0] = 1.0  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool, object, "U8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_any_type_in_any_order(dtype: Any, order: str) -> None:
    tree = every_kind()[0]
    X = np.abs(np.tile(ROWS.astype(int), (3, 2))[:, :6]).astype(dtype)
    expected = np.concatenate([tree.predict(x[None]) for x in X.astype(np.float64)])
    given = np.asarray(X, order=order)
    assert tree.predict(given).tobytes() == expected.tobytes()
    assert tree.predict(given[:2]).tobytes() == expected[:2].tobytes()
    assert tree.predict(given[::-1]).tobytes() == expected[::-1].tobytes()


def test_no_rows() -> None:
    shapes = {"regression": [(0,), (0, 3)], "binary": [(0,)], "multiclass": [(0,)] * 2}
    for tree in every_kind():
        found = tree.predict(np.zeros((0, 6)))
        assert found.shape == shapes[tree.kind].pop(0)
        if tree.classes:
            assert found.dtype == np.array(tree.classes).dtype
            assert tree.predict_proba(np.zeros((0, 6))).shape == (0, len(tree.classes))


def test_features_that_are_not_used_are_not_looked_at() -> None:
    wide = every_kind(width=784)
    X = np.random.default_rng(3).normal(size=(20, 784))
    other = X.copy()
    other[:, 6:] = np.nan
    for tree in wide:
        assert tree.predict(other).tobytes() == tree.predict(X).tobytes()
        assert tree.predict_one(other[0]) == tree.predict_one(X[0])


def extra_memory(method: Callable, X: np.ndarray) -> int:
    """Bytes beyond the answer at the worst moment."""
    method(X[:20])  # what is kept for later is made here
    tracemalloc.start()
    result = method(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - result.nbytes


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
@pytest.mark.parametrize("width", [6, 784])
def test_memory_does_not_grow_with_the_rows(width: int, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = 512
    monkeypatch.setattr(prediction, "CHUNK", chunk)
    X = np.ones((20 * chunk, width), dtype=dtype)
    for tree in every_kind(width):
        methods = [tree.predict, *([tree.predict_proba] if tree.classes else [tree.outputs])]
        for method in methods:
            few, many = extra_memory(method, X[: 2 * chunk]), extra_memory(method, X)
            assert many < 1.2 * few + 10_000
            assert many < 40 * chunk * 8  # columns of doubles, whatever the width
