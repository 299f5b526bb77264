"""Training in a number format: the forward pass is that of its integer code, and no tree gets worse on its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress import quantize_tree
from neuraltree.compress.int8.finetune import _Problem, _State, _step
from neuraltree.compress.int8.integer_tree import input_range
from neuraltree.compress.int8.integers import quantize
from neuraltree.compress.int8.straight_through import SUM_LOSSES, CodedRows, gradient, integer_sums, levels
from neuraltree.compress.narrow.format_training import finetune_format
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.compress.weights.snapping import stochastic_binary
from neuraltree.compress.weights.weight_formats import code_snaps
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree
from tests.compress.test_finetune import INPUTS, front
from tests.helpers.strategies import steady, trees

FORMATS = ("int4", "ternary", "binary", "power_of_two")


@settings(steady, max_examples=40)
@given(tree=trees(values=st.floats(-3, 3)), seed=st.integers(0, 2**32 - 1), name=st.sampled_from(FORMATS))
def test_the_forward_pass_is_the_integer_code(tree: Tree, seed: int, name: str) -> None:
    if tree.kind == "regression" and tree.output_activation != "identity":
        return  # those have a node more in integers; they are refused
    tree = replace(tree, nodes=simplify(tree.nodes))
    width = len(tree.features)
    scaler = tree.scaler or Scaler(np.zeros(width), np.ones(width))
    X = (np.random.default_rng(seed).normal(size=(7, width)) * scaler.scale + scaler.mean).astype(np.float32)
    model = quantize_tree(tree, weights=name)
    codes = np.zeros((width, len(X)), dtype=np.int8)
    codes[model.inputs.features] = model.quantize(X).T
    numbers = quantize(tree.nodes, input_range(tree), snaps=code_snaps(name))
    sums = integer_sums(levels(tree.nodes), tree.nodes, numbers, codes)
    top, kept = tree.nodes["depth"] == 0, model.nodes["depth"] == 0
    assert np.array_equal(sums[top], model._sums(model.quantize(X)).T * model.numbers.unit[kept][:, None])


def loss_of(tree: Tree, X: np.ndarray, y: np.ndarray, name: str) -> float:
    """Mean loss of the code of a tree on rows, by the textbook."""
    model = quantize_tree(tree, weights=name)
    if tree.kind == "regression":
        return float(np.mean((model.predict(X) - y) ** 2))
    shares = model.predict_proba(X)
    places = np.array([tree.classes.index(label) for label in y.tolist()])  # type: ignore[union-attr]
    return -float(np.mean(np.log(shares[np.arange(len(y)), places])))


def targets(tree: Tree, seed: int) -> Any:
    """What another tree says, with noise."""
    rng, (other,) = np.random.default_rng(seed), front(tree.kind, "identity", 1, seed=seed + 50)
    if tree.kind == "regression":
        return other.predict(INPUTS) + rng.normal(size=len(INPUTS))
    labels = other.predict(INPUTS)
    assert tree.classes is not None
    return np.where(rng.random(len(labels)) < 0.1, tree.classes[0], labels)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_no_tree_gets_worse_and_most_get_better(kind: str, name: str) -> None:
    losses = []
    for seed, tree in enumerate(front(kind, "identity", 4)):
        y = targets(tree, seed)
        tuned = finetune_format(tree, INPUTS, y, name, epochs=8, seed=seed)
        losses.append([loss_of(with_weight_format(tree, name), INPUTS, y, name), loss_of(tuned, INPUTS, y, name)])
    before, after = np.array(losses).T
    assert (after <= before * (1 + 1e-9)).all()
    assert np.count_nonzero(after < 0.99 * before) >= 3


@pytest.mark.parametrize("name", FORMATS)
def test_the_weights_are_those_of_the_format(name: str) -> None:
    (tree,) = front("multiclass", "identity", 1)
    tuned = finetune_format(tree, INPUTS, targets(tree, 3), name, epochs=2)
    again = with_weight_format(tuned, name)
    assert again.nodes[["depth", "op"]].tolist() == tuned.nodes[["depth", "op"]].tolist()
    assert again.nodes["weight"] == pytest.approx(tuned.nodes["weight"], rel=1e-9)
    assert tuned != with_weight_format(tree, name)


def test_seeds_repeat_and_rows_of_weight_zero_do_not_count() -> None:
    (tree,) = front("binary", "identity", 1)
    y, weight = targets(tree, 0), np.arange(len(INPUTS)) % 3
    first = finetune_format(tree, INPUTS, y, "int3", epochs=3, seed=1, weight=weight)
    other = np.where(weight[:, None] == 0, INPUTS + 0.3, INPUTS)
    flipped = np.where(weight == 0, "yes", y)
    assert finetune_format(tree, other, flipped, "int3", epochs=3, seed=1, weight=weight) == first
    assert finetune_format(tree, INPUTS, y, "int3", epochs=0) == with_weight_format(tree, "int3")


def test_weights_are_rounded_at_random_without_bias() -> None:
    """Within the scale the mean of what stands for a weight is the weight; beyond it, the sign is certain."""
    weights, first = np.array([0.3, -0.1, 2.0, -1.6, 0.0, 0.0, 0.4]), np.array([0, 4, 6])
    snap, drawn = stochastic_binary(np.random.default_rng(0)), []
    for _ in range(20_000):
        signs, scale = snap(weights, first)
        drawn.append(signs)
    assert scale == pytest.approx([1.0, 0.0, 0.4])
    assert set(np.unique(drawn).tolist()) == {-1, 1}
    means = np.mean(drawn, axis=0) * np.repeat(scale, [4, 2, 1])
    assert means == pytest.approx([0.3, -0.1, 1.0, -1.0, 0.0, 0.0, 0.4], abs=0.03)


def test_random_rounding_depends_on_the_seed_and_ends_in_signs() -> None:
    (tree,) = front("regression", "identity", 1)
    y = targets(tree, 0)
    first, again, other, plain = (
        finetune_format(tree, INPUTS, y, "binary", epochs=8, seed=seed, stochastic=stochastic)
        for seed, stochastic in ((1, True), (1, True), (2, True), (1, False))
    )
    assert first == again
    assert first not in (other, plain)
    rounded = with_weight_format(first, "binary")
    assert rounded.nodes["weight"] == pytest.approx(first.nodes["weight"], rel=1e-9)
    before = loss_of(with_weight_format(tree, "binary"), INPUTS, y, "binary")
    assert loss_of(first, INPUTS, y, "binary") <= before * (1 + 1e-9)


def test_what_does_not_fit_is_refused() -> None:
    (tree,) = front("binary", "identity", 1)
    with pytest.raises(ValueError, match="y holds 'maybe', which is none of the tree's classes: 'no', 'yes'"):
        finetune_format(tree, INPUTS, np.full(len(INPUTS), "maybe"), "int4", epochs=1)
    with pytest.raises(ValueError, match=r"X has shape \(90, \d+\) and y \(3,\)"):
        finetune_format(tree, INPUTS, np.array(["no"] * 3), "int4", epochs=1)
    with pytest.raises(ValueError, match="only weights in binary are rounded at random in training, not those in int4"):
        finetune_format(tree, INPUTS, targets(tree, 0), "int4", epochs=1, stochastic=True)
    with pytest.raises(ValueError, match="weights in bf16 are no integers; allowed: int8, int6"):
        finetune_format(tree, INPUTS, targets(tree, 0), "bf16", epochs=1)


def test_a_step_follows_the_gradient_at_the_rounded_weights() -> None:
    """Adam's first mean is a tenth of the gradient, which is that of the float tree with rounded weights."""
    (tree,) = front("regression", "identity", 1, seed=3)
    tree = replace(tree, nodes=simplify(tree.nodes))
    nodes, reach = tree.nodes, input_range(tree)
    numbers = quantize(nodes, reach, snaps=code_snaps("binary"))
    codes = np.random.default_rng(0).integers(-127, 128, size=(len(reach), 30))
    rows = CodedRows(codes, codes * (reach / 127)[:, None], np.ones((1, 1, 30)), np.ones(30))
    network, loss = levels(nodes), SUM_LOSSES["regression", "identity"]
    zero = np.zeros((2, len(nodes)))
    theta = np.stack([nodes["weight"][:, 0], nodes["bias"][:, 0]])
    moved = _step(_Problem(nodes, network, reach, loss, code_snaps("binary")), _State(theta, zero, zero, 0), rows, 0.01)
    rounded = nodes.copy()
    rounded["weight"][:, 0] = numbers.edge
    slope = gradient(network, rounded, integer_sums(network, nodes, numbers, codes), rows, loss)
    assert np.abs(numbers.edge - theta[0]).max() > 0.1
    assert moved.mean == pytest.approx(0.1 * slope)
