"""Synaptic importance: parameter scores from finite differences of a plain recursion, and their sums."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from neuraltree.compress import synaptic_importance
from neuraltree.plot.tree_plot import plot_importance
from neuraltree.tree.tree import Tree
from tests.helpers import plain_tree
from tests.helpers.random_models import IDENTITY, RELU, SIGMOID, TANH, record, regression, scaler

ROWS = [
    (0, IDENTITY, 0.0, 0.5),
    (1, TANH, -2.0, 0.1),
    (2, 0, 0.7, 0.0),
    (2, 1, -0.4, 0.0),
    (1, SIGMOID, 0.5, 0.0),
    (2, 1, 1.5, 0.0),
    (2, RELU, 1.0, -90.0),  # never on: what is below has no effect
    (3, 2, 5.0, 0.0),
]
STEP = 1e-5


def row_losses(tree: Tree, weight: np.ndarray, Z: np.ndarray, target: np.ndarray) -> np.ndarray:
    z = plain_tree.evaluate(tree.nodes, Z, weight, tree.nodes["bias"][:, 0])[0]
    return np.logaddexp(0, z) - target * z if tree.kind == "binary" else 0.5 * (z - target) ** 2


def by_differences(tree: Tree, Z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """|w| sqrt(mean g²) of every edge."""
    weight = tree.nodes["weight"][:, 0]
    scores = np.zeros(len(weight))
    for i in np.flatnonzero(tree.nodes["depth"] > 0):
        above, below = weight.copy(), weight.copy()
        above[i] += STEP
        below[i] -= STEP
        slope = (row_losses(tree, above, Z, target) - row_losses(tree, below, Z, target)) / (2 * STEP)
        scores[i] = abs(weight[i]) * np.sqrt(np.mean(slope**2))
    return scores


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_parameter_scores_are_those_of_finite_differences(kind: str) -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 3)) * [1.0, 2.0, 3.0] + 5
    inputs = scaler([5.0, 5.0, 5.0], [1.0, 2.0, 3.0])
    if kind == "regression":
        tree, y = regression(ROWS, scaler=inputs, target_scaler=scaler(10.0, 4.0)), rng.normal(10, 4, size=60)
        target = (y - 10) / 4
    else:
        tree = Tree(record(ROWS), "binary", ("a", "b", "c"), ("no", "yes"), inputs)
        target = rng.integers(0, 2, size=60)
        y = np.array(["no", "yes"])[target]
    found = synaptic_importance(tree, X, y)
    wanted = by_differences(tree, (X - 5) / [1.0, 2.0, 3.0], target)
    np.testing.assert_allclose(found.edges, wanted, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        found.nodes, [wanted[1] + wanted[4], wanted[2] + wanted[3], 0, 0, wanted[5] + wanted[6], 0, wanted[7], 0]
    )
    np.testing.assert_allclose(found.inputs, [wanted[2], wanted[3] + wanted[5], 0])
    assert found.edges[7] == 0 < found.edges[5]


def test_the_widths_of_edges_follow_the_scores() -> None:
    tree = regression(ROWS)
    scores = np.array([0.0, 4.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    ax = plot_importance(tree, scores, Figure(figsize=(8, 4)).subplots())
    lines = {each.get_label(): each.get_linewidths() for each in ax.collections if isinstance(each, LineCollection)}
    assert list(lines) == ["weight above 0, score up to 2", "weight below 0, score up to 4"]
    scale = lines["weight below 0, score up to 4"][0] / 4
    np.testing.assert_allclose(lines["weight above 0, score up to 2"], scale * width(np.array([1, 2, 0, 0, 0])))
    np.testing.assert_allclose(lines["weight below 0, score up to 4"], scale * width(np.array([4, 0])))
    with pytest.raises(ValueError, match=r"scores has shape \(3,\)"):
        plot_importance(tree, np.zeros(3))


def width(scores: np.ndarray) -> np.ndarray:
    """Of edges: 4 at the largest score and 0.4 at 0."""
    return 0.4 + 3.6 * scores / 4
