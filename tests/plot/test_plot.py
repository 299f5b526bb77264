"""Pictures of trees: what is drawn is what the tree holds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from neuraltree.activations import NAMES
from neuraltree.plot.drawing import positions
from neuraltree.plot.style import ACTIVATION_LOOKS, axes_or_new, short
from neuraltree.plot.tree_plot import plot_tree, plot_weights
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import models
from tests.helpers.strategies import steady, trees

pytestmark = pytest.mark.filterwarnings("ignore:Glyph .* missing from font:UserWarning")
IDENTITY, TANH, RELU = NAMES.index("identity"), NAMES.index("tanh"), NAMES.index("relu")


@pytest.fixture
def ax() -> Axes:
    return Figure(figsize=(8, 4), layout="constrained").subplots()


@pytest.fixture(autouse=True)
def no_figure_left_open() -> Iterator[None]:
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert left == []


def record(*rows: tuple[int, int, float, float]) -> Nodes:
    """Nodes of (depth, op, weight, bias)."""
    return np.array(list(rows), dtype=node_dtype(1))


SMALL = Tree(
    record(
        (0, ~IDENTITY, 0, 0.5),
        (1, ~TANH, -2.0, 0.25),
        (2, 2, 1.0, 0),
        (2, 0, -0.5, 0),
        (1, ~RELU, 0.0, -1.0),
        (2, 1, 4.0, 0),
    ),
    "regression",
    ("a$x$", "b_b", "字" * 100),
)


def drawn(ax: Axes) -> bytes:
    content = io.BytesIO()
    ax.figure.savefig(content, dpi=50)
    return content.getvalue()


def dots(ax: Axes) -> dict[str, np.ndarray]:
    """The places of each scatter, by its label."""
    return {c.get_label(): c.get_offsets().data for c in ax.collections if isinstance(c, PathCollection)}


def lines(ax: Axes) -> dict[str, LineCollection]:
    return {c.get_label(): c for c in ax.collections if isinstance(c, LineCollection)}


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


# A tree.


def test_every_node_is_drawn_where_the_layout_says_by_its_activation(ax: Axes) -> None:
    assert plot_tree(SMALL, ax) is ax
    at = positions(SMALL)
    found = dots(ax)
    assert sorted(found) == ["identity", "input", "relu", "tanh"]
    for name, rows in (("identity", [0]), ("tanh", [1]), ("relu", [4]), ("input", [2, 3, 5])):
        np.testing.assert_array_equal(found[name], at[rows])


def test_edges_are_as_wide_as_their_weights_and_their_sign_has_a_colour_and_a_style(ax: Axes) -> None:
    found = lines(plot_tree(SMALL, ax))
    above, below = found["weight above 0, up to 4"], found["weight below 0, down to −2"]
    assert len(found) == 2
    widths = {"above": above.get_linewidths(), "below": below.get_linewidths()}
    # In order of the nodes: 1, 0 and 4; -2 and -0.5. The width grows from the thinnest in proportion.
    scale = np.array([*widths["above"], *widths["below"]])
    least = scale[1]
    np.testing.assert_allclose((scale - least) / (scale[2] - least), [0.25, 0, 1, 0.5, 0.125])
    assert least > 0
    assert to_hex(above.get_colors()[0]) != to_hex(below.get_colors()[0])
    assert above.get_linestyles()[0][1] is None  # solid
    assert below.get_linestyles()[0][1]  # dashes
    at = positions(SMALL)
    np.testing.assert_array_equal([path.vertices[-1] for path in above.get_paths()], at[[2, 4, 5]])
    np.testing.assert_array_equal([path.vertices[0] for path in below.get_paths()], at[[0, 1]])


def test_inputs_are_named_below_them_and_nothing_in_a_name_is_an_instruction(ax: Axes) -> None:
    plot_tree(SMALL, ax)
    assert ax.get_xticks().tolist() == positions(SMALL)[[2, 3, 5], 0].tolist()
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names[1:] == ["a$x$", "b_b"]
    assert names[0] == "字" * 12 + "…" + "字" * 11
    assert not any(label.get_parse_math() for label in ax.get_xticklabels())
    assert drawn(ax)


def test_the_legend_names_signs_activations_and_inputs(ax: Axes) -> None:
    names = legend(plot_tree(SMALL, ax))
    assert names == ["weight above 0, up to 4", "weight below 0, down to −2", "tanh", "relu", "identity", "input"]


LINEAR = record((0, ~IDENTITY, 0, 0), (1, 0, 1.0, 0))


@pytest.mark.parametrize(
    ("kind", "classes", "outputs", "wanted"),
    [
        ("regression", None, 1, ["prediction"]),
        ("binary", ("no", "yes $"), 1, ["above 0: yes $\nelse: no"]),
        ("multiclass", (3, 5, 10), 3, ["3", "5", "10"]),
        ("regression", None, 2, ["target 0", "target 1"]),
    ],
)
def test_outputs_are_named(ax: Axes, kind: str, classes: tuple | None, outputs: int, wanted: list[str]) -> None:
    tree = Tree(np.concatenate([LINEAR] * outputs), kind, ("x",), classes)
    assert [text.get_text() for text in plot_tree(tree, ax).texts] == wanted
    assert drawn(ax)


def test_class_names_side_by_side_are_shortened_and_many_are_turned(ax: Axes) -> None:
    three = Tree(np.concatenate([LINEAR] * 3), "multiclass", ("x",), tuple(letter * 100 for letter in "abc"))
    texts = plot_tree(three, ax).texts
    assert {text.get_rotation() for text in texts} == {0.0}
    assert all(8 <= len(text.get_text()) <= 24 for text in texts)
    drawn(ax)
    boxes = [text.get_window_extent() for text in texts]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    other = Figure(layout="constrained").subplots()
    forty = Tree(np.concatenate([LINEAR] * 40), "multiclass", ("x",), tuple(f"class number {i}" for i in range(40)))
    assert {text.get_rotation() for text in plot_tree(forty, other).texts} == {90.0}
    assert drawn(other)


def wide(leaves: int, features: int) -> Tree:
    rows = [(0, ~IDENTITY, 0, 0), *((1, i % features, 1.0, 0) for i in range(leaves))]
    return Tree(record(*rows), "regression", tuple(f"pixel_{i}" for i in range(features)))


@pytest.mark.parametrize("leaves", [1, 60, 200])
def test_up_to_200_inputs_are_named_without_overlap(leaves: int) -> None:
    ax = plot_tree(wide(leaves, 784))
    assert drawn(ax)
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert len(boxes) == leaves
    shared = [a.x1 - b.x0 for a, b in pairwise(boxes)]
    assert max(shared, default=0) <= 1  # pixel
    plt.close(ax.figure)


def test_inputs_too_many_to_name_are_counted(ax: Axes) -> None:
    plot_tree(wide(1000, 784), ax)
    assert len(ax.get_xticks()) == 0
    assert ax.get_xlabel() == "1000 inputs; too many to name in this width"


def test_new_axes_are_of_a_figure_that_pyplot_shows() -> None:
    ax = plot_tree(SMALL)
    assert plt.gcf() is ax.figure
    plt.close(ax.figure)


@settings(steady, max_examples=12)
@given(trees())
def test_any_tree_is_drawn(tree: Tree) -> None:
    ax = plot_tree(tree, Figure(figsize=(4, 3), layout="constrained").subplots())
    assert sum(map(len, dots(ax).values())) == tree.num_nodes
    edges = tree.num_nodes - tree.num_outputs
    assert sum(len(found.get_paths()) for found in lines(ax).values()) == edges
    drawn(ax)


def test_every_activation_has_a_look_of_its_own() -> None:
    assert set(ACTIVATION_LOOKS) == set(NAMES)
    for column in ("colour", "marker", "hatch"):
        assert len({getattr(look, column) for look in ACTIVATION_LOOKS.values()}) == len(NAMES)


# Weights.


def test_weights_and_biases_are_counted_apart(ax: Axes) -> None:
    assert plot_weights([SMALL, SMALL], ax) is ax
    # Of each tree 5 edges, and 3 function nodes: biases of inputs and the weight of the output are not learned.
    assert legend(ax) == ["weights of edges (10)", "biases (6)"]
    for patch, values in zip(ax.patches, ([-2, 1, -0.5, 0, 4] * 2, [0.5, 0.25, -1] * 2), strict=True):
        x, height = patch.get_xy().T
        bins = np.unique(x)
        counts, _ = np.histogram(np.clip(values, bins[0], bins[-1]), bins)
        assert counts.sum() == len(values)
        tops = [height[(x == low).nonzero()[0]].max() for low in bins]
        assert max(tops) == counts.max()
    assert drawn(ax)


def test_a_single_weight_and_no_trees(ax: Axes) -> None:
    assert drawn(plot_weights([Tree(LINEAR, "regression", ("x",))], ax))
    other = Figure().subplots()
    assert plot_weights([], other).texts[0].get_text() == "no trees"


def test_outliers_are_in_the_outer_bars(ax: Axes) -> None:
    many = [(1, 0, value, 0) for value in np.linspace(-1, 1, 2000)]
    plot_weights([Tree(record((0, ~IDENTITY, 0, 0), *many, (1, 0, 1e9, 0)), "regression", ("x",))], ax)
    assert ax.get_xlim()[1] < 2
    assert legend(ax) == ["weights of edges (2,001)", "biases (1)"]


def test_all_kinds_of_models() -> None:
    found = models(2)
    ax = plot_weights(found, Figure().subplots())
    edges = sum(tree.num_nodes - tree.num_outputs for tree in found)
    assert legend(ax)[0] == f"weights of edges ({edges:,})"


# What they share.


@pytest.mark.parametrize(
    ("name", "most", "wanted"),
    [
        ("plain", 5, "plain"),
        ("longer", 5, "lo…er"),
        ("longest", 6, "lon…st"),
        ("a\nb\tc\x00d", 20, "a b c d"),
        (7, 5, "7"),
        ("\ud800x", 5, " x"),
    ],
)
def test_names_that_fit(name: object, most: int, wanted: str) -> None:
    assert short(name, most) == wanted


def test_axes_given_are_used(ax: Axes) -> None:
    assert axes_or_new(ax, (1, 1)) is ax
