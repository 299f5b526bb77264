"""Fine-tuning for 8 bits: the forward pass is the integer model, the gradient the float tree's, no tree gets worse."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score

from neuraltree.activations import NAMES
from neuraltree.compress import quantize_tree
from neuraltree.compress.int8.finetune import finetune, integer_outputs
from neuraltree.compress.int8.integer_tree import input_range
from neuraltree.compress.int8.integers import quantize
from neuraltree.compress.int8.straight_through import SUM_LOSSES, CodedRows, gradient, integer_sums, levels
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.prediction import evaluate
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from search.config.settings import Config, DataConfig, TaskConfig
from search.front import load_front
from search.run import main
from search.table.data import Table
from search.table.loading import load_table
from search.table.splits import split
from tests.helpers.jumps import CONTINUOUS
from tests.helpers.strategies import steady, trees

FEATURES = ("a", "b", "c", "d")
CLASSES = {"regression": None, "binary": ("no", "yes"), "multiclass": ("x", "y", "z")}
TASKS = tuple(SUM_LOSSES)
MEAN, SCALE = np.array([1.0, -20, 0, 3]), np.array([2.0, 30, 1, 0.1])
INPUTS = np.random.default_rng(1).normal(size=(90, len(FEATURES))) * SCALE + MEAN


def front(kind: str, output: str, count: int = 4, seed: int = 0, *, continuous: bool = False) -> list[Tree]:
    """Random trees, alike in all but their nodes."""
    rng = np.random.default_rng(seed)
    classes = CLASSES[kind]
    space = Space(
        len(FEATURES),
        len(classes) if classes and kind == "multiclass" else 1,
        CONTINUOUS if continuous else NAMES,
        output,
        max_nodes=25,
    )
    scaler, target = Scaler(MEAN, SCALE), Scaler(np.ones(1), np.full(1, 5))
    return [
        Tree(
            random_tree(rng, space),
            kind,
            FEATURES,
            classes,
            scaler,
            target if kind == "regression" else None,
            np.array([2.0, 3, 2.5, 4]),
        )
        for _ in range(count)
    ]


def loss_of(tree: Tree, target: Tree, X: np.ndarray) -> float:
    """Mean loss of a tree's integer model against what a float tree predicts, by the textbook."""
    if tree.kind == "regression":
        return 0.5 * float(np.mean(((quantize_tree(tree).predict(X) - target.predict(X)) / 5) ** 2))
    if tree.output_activation == "identity":
        return -float(np.mean(np.sum(target.predict_proba(X) * np.log(quantize_tree(tree).predict_proba(X)), axis=1)))
    shares = 1 / (1 + np.exp(-integer_outputs(tree, X)))
    return 0.5 * float(np.mean(np.sum((shares - target.outputs(X)) ** 2, axis=1)))


@steady
@given(trees(values=st.floats(-3, 3)), st.integers(0, 2**32 - 1))
def test_the_forward_pass_is_the_integer_model(tree: Tree, seed: int) -> None:
    rng = np.random.default_rng(seed)
    width = len(tree.features)
    scaler = tree.scaler or Scaler(np.zeros(width), np.ones(width))
    X = (rng.normal(size=(7, width)) * scaler.scale + scaler.mean).astype(np.float32)
    model = quantize_tree(tree)
    if tree.kind == "regression" and tree.output_activation != "identity":
        return  # those have a node more in integers; they are refused
    codes = np.zeros((width, len(X)), dtype=np.int8)
    codes[model.inputs.features] = model.quantize(X).T
    rows = CodedRows(codes, codes.astype(float), np.zeros((1, tree.num_outputs, 7)), np.ones(7))
    numbers = quantize(tree.nodes, input_range(tree))
    sums = integer_sums(levels(tree.nodes), tree.nodes, numbers, rows.codes)
    top, kept = tree.nodes["depth"] == 0, model.nodes["depth"] == 0
    expected = model._sums(model.quantize(X)).T * model.numbers.unit[kept][:, None]
    assert np.array_equal(sums[top], expected)


def float_sums(nodes: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """(nodes, rows) sums of the float tree, node by node, by evaluating each node as an output."""
    sums = np.zeros((len(nodes), len(Z)))
    for i in np.flatnonzero(nodes["op"] < 0):
        later = np.flatnonzero(nodes["depth"][i + 1 :] <= nodes["depth"][i])
        part = nodes[i : i + 1 + later[0] if len(later) else len(nodes)].copy()
        part["depth"] -= nodes["depth"][i]
        part["op"][0] = ~5  # identity: the sum itself
        sums[i] = evaluate(part, Z)[:, 0]
    return sums


@pytest.mark.parametrize(("kind", "output"), TASKS)
def test_the_gradient_is_that_of_the_float_tree(kind: str, output: str) -> None:
    nodes, _ = join([tree.nodes for tree in front(kind, output, seed=3, continuous=True)])
    rng, loss = np.random.default_rng(0), SUM_LOSSES[kind, output]
    Z = rng.normal(size=(20, len(FEATURES)))
    targets = rng.uniform(size=(4, 3 if kind == "multiclass" else 1, 20))
    targets = targets / targets.sum(axis=1, keepdims=True) if kind == "multiclass" else targets
    rows = CodedRows(np.zeros((4, 20), np.int8), Z.T, targets, rng.uniform(0.5, 1.5, 20))

    def total(nodes: np.ndarray) -> float:
        sums = float_sums(nodes, Z)[nodes["depth"] == 0]
        return float(np.sum(loss.value(sums.reshape(targets.shape), targets) * rows.weight) / 20)

    found = gradient(levels(nodes), nodes, float_sums(nodes, Z), rows, loss)
    step = 1e-6
    for row, name in enumerate(("weight", "bias")):
        trained = nodes["depth"] > 0 if name == "weight" else nodes["op"] < 0
        assert not found[row][~trained].any()
        for i in np.flatnonzero(trained):
            ends = []
            for sign in (1, -1):
                moved = nodes.copy()
                moved[name][i] += sign * step
                ends.append(total(moved))
            assert found[row][i] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-6)


@pytest.mark.parametrize(("kind", "output"), TASKS)
@pytest.mark.parametrize("learning_rate", [0.002, 3.0])
def test_no_tree_gets_worse_and_most_get_better(kind: str, output: str, learning_rate: float) -> None:
    before = front(kind, output, 8, continuous=True)
    after = finetune(before, INPUTS, epochs=5, learning_rate=learning_rate)
    losses = np.array(
        [[loss_of(a, b, INPUTS) for a, b in zip(trees, before, strict=True)] for trees in (before, after)]
    )
    assert (losses[1] <= losses[0]).all()
    assert learning_rate > 1 or np.count_nonzero(losses[1] < losses[0]) >= 6
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(old.nodes[["depth", "op"]], new.nodes[["depth", "op"]])
        assert replace(new, nodes=old.nodes) == old


def test_a_tree_is_tuned_alike_alone_and_in_a_front_and_every_time() -> None:
    trees = front("multiclass", "identity")
    together = finetune(trees, INPUTS, epochs=3, seed=5)
    assert finetune(trees, INPUTS, epochs=3, seed=5) == together
    assert finetune(trees, INPUTS, epochs=3, seed=6) != together
    assert [finetune([tree], INPUTS, epochs=3, seed=5)[0] for tree in trees] == together


def test_rows_of_weight_zero_do_not_count() -> None:
    trees = front("regression", "identity")
    weight = np.arange(len(INPUTS)) % 3
    other = np.where(weight[:, None] == 0, INPUTS + 0.3, INPUTS)
    assert finetune(trees, INPUTS, epochs=3, weight=weight) == finetune(trees, other, epochs=3, weight=weight)
    assert finetune(trees, INPUTS, epochs=3) != finetune(trees, other, epochs=3)


def test_without_epochs_trees_stay_as_they_are() -> None:
    trees = front("binary", "identity")
    assert finetune(trees, INPUTS, epochs=0) == trees
    assert finetune([], INPUTS, epochs=3) == []


def test_a_tree_beyond_integers_stays_as_it_is() -> None:
    trees = front("regression", "identity")
    nodes = trees[0].nodes.copy()
    nodes["weight"] = 1e300
    beyond = replace(trees[0], nodes=nodes)
    with pytest.raises(ValueError, match="single floats"):
        quantize_tree(beyond)
    assert finetune([beyond, *trees], INPUTS, epochs=2) == [beyond, *finetune(trees, INPUTS, epochs=2)]


@pytest.mark.parametrize("change", [{"features": ("e", "b", "c", "d")}, {"input_range": np.ones(4)}])
def test_trees_of_different_fronts_are_refused(change: dict[str, Any]) -> None:
    one, other = front("regression", "identity", 2)
    with pytest.raises(ValueError, match="differ in more than their nodes"):
        finetune([one, replace(other, **change)], INPUTS, epochs=1)


def test_thresholds_may_differ_and_are_kept() -> None:
    trees = front("binary", "identity", 2)
    moved = [replace(tree, threshold=threshold) for tree, threshold in zip(trees, (0.2, 0.8), strict=True)]
    tuned = finetune(moved, INPUTS, epochs=2)
    assert [tree.threshold for tree in tuned] == [0.2, 0.8]
    assert [replace(tree, threshold=0.5) for tree in tuned] == finetune(trees, INPUTS, epochs=2)
    wide = [replace(tree, band=band) for tree, band in zip(trees, (0.2, None), strict=True)]
    assert [tree.band for tree in finetune(wide, INPUTS, epochs=2)] == [0.2, None]


def test_a_regression_needs_a_linear_output() -> None:
    with pytest.raises(ValueError, match="regression tree with a tanh output cannot be fine-tuned"):
        finetune(front("regression", "tanh"), INPUTS, epochs=1)


# In a search.


def parts(source: str) -> tuple[Table, np.ndarray, np.ndarray]:
    """The table, and inputs and targets of its test rows; classes by name."""
    table = load_table(Config(DataConfig(source), task=TaskConfig()))
    _, rows = split(table, 0.2, 0)
    return table, table.X[rows], table.y[rows] if table.classes is None else np.array(table.classes)[table.y[rows]]


OPTIONS = (
    "search.population=8",
    "search.generations=1",
    "search.folds=2",
    "train.epochs=10",
    "space.max_nodes=12",
    "hardware.precision=int8",
)


def searched(folder: Path, source: str, *options: str) -> int:
    (folder / "c.toml").write_text(f'data.source = "{source}"')
    sets = [f"--set={text}" for text in (*OPTIONS, *options)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "JAX_COMPILATION_CACHE_DIR", "")
        return main([str(folder / "c.toml"), "--out", str(folder / "out"), "--quiet", *sets])


@pytest.mark.parametrize("source", ["diabetes", "iris"])
def test_a_search_tunes_its_front_and_scores_the_integers(tmp_path: Path, source: str) -> None:
    fronts = []
    for epochs in (0, 10):
        folder = tmp_path / str(epochs)
        folder.mkdir()
        assert searched(folder, source, f"hardware.finetune_epochs={epochs}") == 0
        fronts.append(load_front(folder / "out"))
    for plain, tuned in zip(*fronts, strict=True):
        assert (plain.weights, plain.val_error) == (tuned.weights, tuned.val_error)
        assert tuned.tree().input_range is not None
    assert any(plain.tree() != tuned.tree() for plain, tuned in zip(*fronts, strict=True))
    table, X, y = parts(source)
    for member in fronts[1]:
        predicted = quantize_tree(member.tree()).predict(X)
        score = r2_score(y, predicted) if table.classes is None else np.mean(predicted == y)
        assert member.int8_test_score == pytest.approx(score, abs=1e-6)


def test_epochs_without_int8_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert searched(tmp_path, "iris", "hardware.finetune_epochs=3", "hardware.precision=float32") == 2
    assert 'finetune_epochs = 3 fine-tunes 8-bit models, but hardware.precision = "float32"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
