"""Pictures of searches: what is drawn is what the front and the history hold."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

from neuraltree.activations import NAMES
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.tree import Tree
from search.folder.history import History
from search.front import Front, Member
from search.pictures import (
    draw_front,
    plot_activations,
    plot_front,
    plot_front_3d,
    plot_genealogy,
    plot_generations,
    plot_hypervolume,
    plot_learnability,
    plot_parallel,
    run_pictures,
)
from search.pictures.axes import COLUMNS, column, is_wide, written
from search.pictures.genealogy import LOOKS, layout, most_influential, parents_of, spread
from search.pictures.learnability import rates
from search.variation.operators import OPERATORS, UNCHANGED

pytestmark = pytest.mark.filterwarnings("ignore:Glyph .* missing from font:UserWarning")


@pytest.fixture(autouse=True)
def no_figure_left_open() -> Iterator[None]:
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert left == []


@pytest.fixture
def ax() -> Axes:
    return new_axes()


def new_axes(projection: str | None = None) -> Axes:
    return Figure(figsize=(7, 4), layout="constrained").add_subplot(projection=projection)


def drawn(ax: Axes) -> bool:
    content = io.BytesIO()
    ax.figure.savefig(content, dpi=50)
    return len(content.getvalue()) > 1000


def dots(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """The places of each scatter, by its label."""
    found = [c for c in ax.collections if isinstance(c, PathCollection)]
    return {c.get_label(): [tuple(place) for place in c.get_offsets().data.tolist()] for c in found}


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def member(val_error: float, weights: float, **values: float) -> Member:
    return Member("ok", {"val_error": val_error, "weights": weights, **values})


# By hand: in two columns the third of these is beaten by the second.
FOUR = Front(
    (
        member(0.1, 50, latency_s=4e-6, test_error=0.2, measured_latency_s=5e-6, test_score=0.8),
        member(0.2, 20, latency_s=2e-6, test_error=0.1, test_score=0.9),
        member(0.3, 30, latency_s=1e-6, test_error=0.3, test_score=0.7),
        member(0.9, 4, latency_s=3e-6, test_error=0.9, test_score=0.1),
    ),
    ("error", "weights"),
)


def many(count: int) -> Front:
    rng = np.random.default_rng(count)
    members = [
        member(e, w, latency_s=w * 1e-7, flash_bytes=w * 4, test_error=e * 1.1)
        for e, w in sorted(zip(rng.uniform(0.05, 0.6, count), rng.integers(3, 2000, count).tolist(), strict=True))
    ]
    return Front(tuple(members), ("error", "latency_s", "flash_bytes"))


@dataclass(frozen=True)
class Rival:
    label: str
    values: dict[str, float]


def history(**fields: Any) -> History:
    """Eight trees in three generations; those of the last descend from 0, 2 and 3."""
    usual: dict[str, Any] = {
        "parents": np.array([[-1, -1]] * 4 + [[0, -1], [2, 3], [4, 5], [5, -1]]),
        "operator": np.array(["random"] * 4 + ["one_leaf", "crossover", "crossover", "hoist"]),
        "generation": np.array([0, 0, 0, 0, 1, 1, 2, 2]),
        "ok": np.array([True] * 7 + [False]),
        "feasible": np.array([True, True, False, True, True, True, True, False]),
        "columns": {
            "val_error": np.array([0.9, 0.8, 0.5, 0.6, 0.4, 0.3, 0.2, 1.0]),
            "weights": np.array([5.0, 9, 60, 10, 7, 12, 11, 40]),
        },
        "fronts": [np.array([0, 3]), np.array([4, 5]), np.array([4, 6])],
        "activation_nodes": np.array([[1, 3, 0], [2, 2, 0], [0, 0, 0]]),
        "activations": ("sigmoid", "tanh", "relu"),
        "objectives": ("error", "weights"),
        "rows": [{"generation": float(g), "hypervolume": v} for g, v in enumerate((0.1, 0.4, 0.5))],
    }
    return History(**usual | fields)


# The front in two columns.


def test_members_the_recommended_one_and_tests_are_where_their_values_say(ax: Axes) -> None:
    assert plot_front(FOUR, ax=ax) is ax
    found = dots(ax)
    assert found["validation"] == [(50, 0.1), (20, 0.2), (30, 0.3), (4, 0.9)]
    assert found["test"] == [(50, 0.2), (20, 0.1), (30, 0.3), (4, 0.9)]
    assert found["recommended"] == [(50, 0.1)]
    assert legend(ax) == ["validation", "test", "recommended"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weights (edges + biases)", "error")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert drawn(ax)


def staircase(ax: Axes) -> tuple[list[float], list[float], str]:
    line = ax.lines[0]
    return line.get_xdata().tolist(), line.get_ydata().tolist(), line.get_drawstyle()


def test_the_staircase_joins_what_nothing_beats_in_both_columns(ax: Axes) -> None:
    assert staircase(plot_front(FOUR, ax=ax)) == ([4, 20, 50], [0.9, 0.2, 0.1], "steps-post")


def test_honest_errors_have_bars_of_their_standard_errors(ax: Axes) -> None:
    rows = [
        member(0.0, w, honest_error=e, honest_error_se=s, test_error=e) for e, s, w in ((0.1, 0.02, 30), (0.2, 0.3, 10))
    ]
    plot_front(Front(tuple(rows), ("error", "weights")), ax=ax)
    assert legend(ax) == ["honest error", "test", "recommended"]
    (bars,) = [found for found in ax.collections if isinstance(found, LineCollection)]
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [[0.08, 0.12], [0.0002, 0.5]])  # none reaches below 0: the axis may be logarithmic
    assert not any(isinstance(found, LineCollection) for found in plot_front(FOUR, ax=new_axes()).collections)


def test_where_the_higher_is_better_the_staircase_is_the_other_way_up(ax: Axes) -> None:
    plot_front(FOUR, "weights", "test_score", ax=ax)
    assert staircase(ax) == ([4, 20], [0.1, 0.9], "steps-post")
    assert legend(ax) == ["front", "recommended"]
    other = plot_front(FOUR, "test_score", "weights", ax=new_axes())
    assert staircase(other) == ([0.1, 0.9], [4, 20], "steps-pre")


def test_costs_are_shown_as_measured_where_they_were(ax: Axes) -> None:
    plot_front(FOUR, "latency_s", ax=ax)
    assert dots(ax)["measured cost"] == [(5e-6, 0.1)]
    assert any(line.get_xydata().tolist() == [[4e-6, 0.1], [5e-6, 0.1]] for line in ax.lines)
    assert ax.get_xlabel() == "latency"
    assert ax.xaxis.get_major_formatter()(2e-6) == "2 µs"


def test_errors_can_be_across(ax: Axes) -> None:
    plot_front(FOUR, "val_error", "weights", ax=ax)
    assert dots(ax)["validation"][0] == (0.1, 50)
    assert dots(ax)["test"][0] == (0.2, 50)


def test_test_errors_off_the_scale_are_at_the_edge(ax: Axes) -> None:
    members = [member(e, w, test_error=t) for e, w, t in ((0.1, 9, 0.2), (0.2, 5, 0.3), (0.3, 2, 50.0))]
    plot_front(Front(tuple(members), ("error", "weights")), ax=ax)
    assert dots(ax)["test"] == [(9, 0.2), (5, 0.3)]
    assert dots(ax)["test, off the scale"] == [(2, 0.6)]
    assert ax.get_ylim()[1] < 1


def test_test_errors_all_far_above_validation_are_on_the_scale(ax: Axes) -> None:
    members = [member(e, w, test_error=t) for e, w, t in ((0.1, 9, 2.0), (0.2, 5, 3.0), (0.3, 2, 7.0))]
    plot_front(Front(tuple(members), ("error", "weights")), ax=ax)
    assert dots(ax)["test"] == [(9, 2.0), (5, 3.0)]
    assert dots(ax)["test, off the scale"] == [(2, 6.0)]  # twice the median


def test_baselines_are_drawn_where_they_have_both_columns_each_by_its_own_mark(ax: Axes) -> None:
    known = [Rival(f"model {i} $", {"val_error": 0.1 * i, "weights": 100.0 * i}) for i in range(1, 13)]
    known[0].values["test_error"] = 0.15
    plot_front(FOUR, ax=ax, baselines=[*known, Rival("no count", {"val_error": 0.5})])
    found = dots(ax)
    for rival in known:
        assert found[rival.label] == [(rival.values["weights"], rival.values["val_error"])]
    assert found["test"][-1] == (100, 0.15)
    assert "no count" not in legend(ax)
    marks = [c for c in ax.collections if c.get_label() in [rival.label for rival in known]]
    looks = {(tuple(mark.get_facecolor()[0]), mark.get_paths()[0].vertices.tobytes()) for mark in marks}
    assert len(looks) == len(known)
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())
    assert drawn(ax)


def test_what_breaks_a_constraint_is_grey_and_what_diverged_is_not_drawn(ax: Axes) -> None:
    plot_front(FOUR, ax=ax, history=history())
    assert dots(ax)["breaks a constraint"] == [(60, 0.5)]  # of tree 7 the values are no values: it diverged


def test_what_is_far_off_moves_no_axis(ax: Axes) -> None:
    far = history(columns={"val_error": np.full(8, 0.5), "weights": np.array([1.0, 1, 1e9, 1, 1, 1, 1, 1])})
    limits = plot_front(FOUR, ax=ax).get_xlim()
    other = plot_front(FOUR, ax=new_axes(), history=far)
    assert other.get_xlim() == limits
    assert "breaks a constraint" not in legend(other)


def test_a_history_all_feasible_adds_nothing(ax: Axes) -> None:
    fine = history(feasible=np.ones(8, dtype=bool))
    assert legend(plot_front(FOUR, ax=ax, history=fine)) == ["validation", "test", "recommended"]


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_any_number_of_members(ax: Axes, count: int) -> None:
    front = many(count)
    plot_front(front, "flash_bytes", ax=ax)
    wanted = [(m.flash_bytes, m.val_error) for m in front]
    assert dots(ax)["validation"] == wanted
    assert drawn(ax)


def test_number_formats_have_marks_of_their_own(ax: Axes) -> None:
    formats = ["int4", "int8", "int4", "ternary"]
    values = [{"id": float(i), "weights": 10.0 * (i + 1), "val_error": 0.5 / (i + 1)} for i in range(4)]
    members = [Member("ok", row, precision=name) for row, name in zip(values, formats, strict=True)]
    plot_front(Front(tuple(members), ("error", "weights")), ax=ax)
    found = {label: places for label, places in dots(ax).items() if label.startswith("validation")}
    assert list(found) == ["validation, int8", "validation, int4", "validation, ternary"]  # as in the table of formats
    assert found["validation, int4"] == [(10.0, 0.5), (30.0, 0.5 / 3)]
    marks = [c for c in ax.collections if str(c.get_label()).startswith("validation")]
    assert len({c.get_paths()[0].vertices.tobytes() for c in marks}) == 3
    assert len({tuple(c.get_facecolors()[0]) for c in marks}) == 3
    assert drawn(ax)


def test_one_number_format_has_the_usual_mark_and_is_named(ax: Axes) -> None:
    values = {"id": 0.0, "weights": 10.0, "val_error": 0.5}
    plot_front(Front((Member("ok", values, precision="int8"),), ("error", "weights")), ax=ax)
    assert dots(ax)["validation, int8"] == [(10.0, 0.5)]


EMPTY = Front((), ("error", "weights"))


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plot_front(EMPTY, ax=ax),
        lambda ax: plot_parallel(EMPTY, ax),
        lambda ax: plot_learnability(EMPTY, [[0.0]], [0], ax),
        lambda ax: plot_generations(history(fronts=[np.array([], dtype=int)] * 3), ax),
    ],
    ids=["front", "parallel", "learnability", "generations"],
)
def test_an_empty_front_is_said_to_be_one(ax: Axes, draw: Callable[[Axes], Axes]) -> None:
    assert draw(ax) is ax
    assert [text.get_text() for text in ax.texts] == ["no tree met the constraints"]
    assert drawn(ax)


# The file of a run.


def panels(monkeypatch: pytest.MonkeyPatch, front: Front, title: str, rivals: Sequence[Rival]) -> list[Axes]:
    kept: list[Figure] = []
    monkeypatch.setattr(run_pictures, "save", lambda figure, path: kept.append(figure))
    draw_front(Path("front.png"), front, title, rivals)
    assert drawn(kept[0].axes[0])
    return [ax for ax in kept[0].axes if ax.axison]


RIVALS = [Rival("linear $", {"val_error": 0.4, "weights": 40.0}), Rival("CART", {"val_error": 0.5, "weights": 10.0})]


@pytest.mark.parametrize(
    ("objectives", "rivals", "wanted"),
    [
        (("error", "weights"), [], ["weights"]),
        (("error",), [], ["weights"]),
        (("error", "latency_s"), [], ["latency"]),
        (("error", "latency_s"), RIVALS, ["latency", "weights"]),
        (("error", "weights", "latency_s"), RIVALS, ["weights", "latency"]),
    ],
)
def test_the_file_has_a_panel_for_every_cost_and_room_for_baselines(
    monkeypatch: pytest.MonkeyPatch, objectives: tuple[str, ...], rivals: list[Rival], wanted: list[str]
) -> None:
    found = panels(monkeypatch, Front(FOUR.members, objectives), "a $ title", rivals)
    assert [ax.get_xlabel().split(" (")[0] for ax in found] == wanted
    assert found[0].get_ylabel() == "error"
    names = [text.get_text() for text in found[0].figure.legends[0].get_texts()]
    assert names[0] == "validation"
    assert set(names) >= {rival.label for rival in rivals}
    assert len(names) == len(set(names))
    assert all(ax.get_legend() is None for ax in found)


LONG = [Rival(f"a baseline of a long name, {i}", {"val_error": 0.4, "weights": 40.0 + i}) for i in range(8)]
PRUNED = [Rival(f"pruned MLP ({size})", {"val_error": 0.4, "weights": size}) for size in (250, 120, 60, 30)]


@pytest.mark.parametrize("rivals", [[], RIVALS, PRUNED, LONG], ids=["none", "two", "pruned", "long"])
@pytest.mark.parametrize("objectives", [("balanced_error", "weights"), ("rmse", "latency_s")], ids=["one", "two"])
def test_title_and_legend_of_the_file_stay_within_it(
    monkeypatch: pytest.MonkeyPatch, objectives: tuple[str, ...], rivals: list[Rival]
) -> None:
    title = "long names of tables/with/folders/and.csv: a target (multiclass), 28 models"
    figure = panels(monkeypatch, Front(FOUR.members, objectives), title, rivals)[0].figure
    (legend,) = figure.legends
    heading = next(text for text in figure.texts if text.get_text().startswith("long names"))
    for part in (heading, legend):
        box = part.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert {text.get_text() for text in legend.get_texts()} >= {"validation", *(rival.label for rival in rivals)}


# Columns.


def test_every_unknown_column_is_named_with_those_that_are_known(ax: Axes) -> None:
    known = "latency_s, measured_latency_s, test_error, test_score, val_error, weights"
    for x, y in (("wieghts", "val_error"), ("weights", "wieghts")):
        with pytest.raises(ValueError, match=f"^no member of the front has 'wieghts'; allowed: {known}$"):
            plot_front(FOUR, x, y, ax)
    with pytest.raises(ValueError, match=r"^no member of the front has 'flash_bytes'; allowed: "):
        plot_front_3d(FOUR, "weights", "flash_bytes", "val_error", new_axes("3d"))
    for columns in ({"x": "latency_s"}, {"y": "latency_s"}):
        with pytest.raises(ValueError, match=r"^the history has no column 'latency_s'; allowed: val_error, weights$"):
            plot_generations(history(), ax, **columns)
    with pytest.raises(ValueError, match=r"^the history has no column 'latency_s'; allowed: val_error, weights$"):
        plot_front(FOUR, "latency_s", ax=ax, history=history())


@pytest.mark.parametrize(
    ("name", "objectives", "label"),
    [
        ("val_error", ("rmse", "weights"), "RMSE"),
        ("test_error", ("log_loss",), "test log loss"),
        ("val_error", ("weights",), "error"),
        ("measured_flash_bytes", (), "measured flash"),
        ("error_class_$x$", (), "error of class $x$"),
        ("balanced_error", (), "balanced error"),
        ("something", (), "something"),
    ],
)
def test_columns_have_names_in_words(name: str, objectives: tuple[str, ...], label: str) -> None:
    assert column(name, objectives).label == label


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("weights", 12345.0, "12,345"),
        ("latency_s", 7.11048e-6, "7.11 µs"),
        ("flash_bytes", 2048.0, "2.05 kB"),
        ("energy_j", 3.95e-7, "395 nJ"),
        ("val_error", 0.0478003, "0.0478"),
        ("val_error", 0.0, "0"),
    ],
)
def test_values_are_written_with_their_unit(name: str, value: float, text: str) -> None:
    assert written(value, column(name)) == text


@pytest.mark.parametrize(
    ("values", "wide"),
    [([1, 6], True), ([1, 5.9], False), ([0, 100], False), ([-1, 10], False), ([], False), ([np.nan, 1, 9], True)],
)
def test_axes_are_logarithmic_where_values_span_much(values: list[float], wide: bool) -> None:
    assert is_wide(values) is wide


def test_only_scores_are_better_when_higher() -> None:
    assert {name for name, known in COLUMNS.items() if known.better > 0} == {
        "test_score",
        "int8_test_score",
        "robust_score",
    }


# Three columns, and all.


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_three_columns(count: int) -> None:
    ax = new_axes("3d")
    front = many(count)
    assert plot_front_3d(front, "latency_s", "flash_bytes", "val_error", ax) is ax
    places = {c.get_label(): np.array(c._offsets3d) for c in ax.collections}
    wanted = np.array([[m.latency_s, m.flash_bytes, m.val_error] for m in front]).T
    for axis, values in enumerate(wanted):
        shown = np.log10(values) if is_wide(values) else values
        np.testing.assert_allclose(np.sort(places["front"][axis]), np.sort(shown))
    assert places["recommended"].shape == (3, 1)
    assert ax.get_zlabel() == "error"
    assert drawn(ax)


def test_ticks_of_a_logarithmic_axis_in_three_dimensions_say_the_value() -> None:
    ax = plot_front_3d(many(1000), "latency_s", "flash_bytes", "val_error", new_axes("3d"))
    ticks = ax.xaxis.get_major_locator()()
    shown = [ax.xaxis.get_major_formatter()(tick) for tick in ticks]
    assert shown == ["1 µs", "10 µs", "100 µs"]


def test_three_columns_need_three_dimensions(ax: Axes) -> None:
    with pytest.raises(ValueError, match=r'^ax is a rectilinear plot; make it with add_subplot\(projection="3d"\)$'):
        plot_front_3d(FOUR, "weights", "latency_s", "val_error", ax)


def test_an_empty_front_in_three_dimensions() -> None:
    ax = plot_front_3d(EMPTY, "weights", "latency_s", "val_error", new_axes("3d"))
    assert [text.get_text() for text in ax.texts] == ["no tree met the constraints"]
    assert drawn(ax)


def test_parallel_lines_go_from_the_lowest_to_the_highest_of_every_axis(ax: Axes) -> None:
    front = Front((member(0.1, 30, latency_s=8.0), member(0.2, 20, latency_s=2.0), member(0.3, 10, latency_s=1.0)), ())
    front = Front(front.members, ("rmse", "latency_s"))
    assert plot_parallel(front, ax) is ax
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "RMSE",
        "latency\nlog scale",
        "weights\n(edges + biases)",
    ]
    # The lowest error is drawn last; 2 is a third of the way from 1 to 8 by ratio.
    found = np.array([path.vertices[:, 1] for path in ax.collections[0].get_paths()])
    np.testing.assert_allclose(found, [[1, 0, 0], [0.5, 1 / 3, 0.5], [0, 1, 1]], atol=1e-12)
    assert [text.get_text() for text in ax.texts] == ["0.1", "0.3", "1 s", "8 s", "10", "30"]
    chosen = next(line for line in ax.lines if line.get_label() == "recommended")
    np.testing.assert_allclose(chosen.get_ydata(), [0, 1, 1])
    assert drawn(ax)


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_parallel_lines_of_any_number(ax: Axes, count: int) -> None:
    plot_parallel(many(count), ax)
    heights = np.array([path.vertices[:, 1] for path in ax.collections[0].get_paths()])
    assert heights.shape == (count, 4)
    assert ((heights >= 0) & (heights <= 1)).all()
    if count == 1:
        assert (heights == 0.5).all()
    assert drawn(ax)


def test_long_names_of_many_axes_are_slanted(ax: Axes) -> None:
    names = [f"error_class_{'long name' * 9}{i}" for i in range(8)]
    values = [dict.fromkeys(names, 0.1 * i) for i in range(3)]
    members = tuple(member(0.1 + i, 10 - i, **values[i]) for i in range(3))
    plot_parallel(Front(members, ("error", *names)), ax)
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {30.0}
    assert drawn(ax)


# The course of a search.


def test_fronts_of_generations(ax: Axes) -> None:
    assert plot_generations(history(), ax) is ax
    assert dots(ax) == {
        "generation 0": [(5, 0.9), (10, 0.6)],
        "generation 1": [(7, 0.4), (12, 0.3)],
        "generation 2": [(7, 0.4), (11, 0.2)],
    }
    shades = [c.get_facecolor()[0, :3].sum() for c in ax.collections]
    assert shades == sorted(shades, reverse=True)  # the later the darker
    assert drawn(ax)


@pytest.mark.parametrize("count", [1, 2, 8, 500])
def test_at_most_eight_generations_are_drawn_first_and_last_among_them(ax: Axes, count: int) -> None:
    plot_generations(history(fronts=[np.array([], dtype=int), *[np.array([0, 3])] * count]), ax)
    names = legend(ax)
    assert len(names) == min(count, 8)
    assert (names[0], names[-1]) == ("generation 1", f"generation {count}")
    marks = {c.get_paths()[0].vertices.tobytes() for c in ax.collections}
    assert len(marks) == len(names)


def test_the_first_cost_is_across_unless_another_is_named() -> None:
    columns = history().columns | {"latency_s": np.linspace(1, 2, 8)}
    timed = history(columns=columns, objectives=("error", "latency_s", "weights"))
    assert plot_generations(timed, new_axes()).get_xlabel() == "latency"
    assert plot_generations(timed, new_axes(), x="weights").get_xlabel() == "weights (edges + biases)"


def test_hypervolumes(ax: Axes) -> None:
    assert plot_hypervolume(history(), ax) is ax
    assert ax.lines[0].get_xydata().tolist() == [[0, 0.1], [1, 0.4], [2, 0.5]]
    assert drawn(ax)


def test_shares_of_activations(ax: Axes) -> None:
    assert plot_activations(history(), ax) is ax
    assert legend(ax) == ["tanh", "sigmoid"]  # from the top down; relu was never used
    tops = {}
    for band in ax.collections:
        vertices = band.get_paths()[0].vertices
        tops[band.get_label()] = [vertices[np.isclose(vertices[:, 0], x)][:, 1].max() for x in (-0.5, 0.5, 2.5)]
    # Steps: what is at the edge of two generations reaches as high as the higher of both.
    assert tops == {"sigmoid": [0.25, 0.5, 0], "tanh": [1, 1, 0]}
    assert len({band.get_hatch() for band in ax.collections}) == 2
    assert drawn(ax)


def test_a_single_generation_of_activations_is_seen(ax: Axes) -> None:
    plot_activations(history(activation_nodes=np.array([[1, 1, 2]])), ax)
    widths = [np.ptp(band.get_paths()[0].vertices[:, 0]) for band in ax.collections]
    assert widths == [1, 1, 1]


def test_no_hidden_nodes_at_all(ax: Axes) -> None:
    plot_activations(history(activation_nodes=np.zeros((2, 3), dtype=int)), ax)
    assert ax.texts[0].get_text() == "no tree has a hidden node"


# Learnability.


def chooser(column: int, classes: tuple) -> Tree:
    """Of two classes: the second, where the feature of that number is above 0."""
    nodes = np.array([(0, ~NAMES.index("identity"), 0, 0), (1, column, 1, 0)], dtype=node_dtype(1))
    return Tree(nodes, "binary", ("a", "b"), classes)


X = np.array([[-1, 1], [-1, 1], [-1, -1], [1, 1], [1, 1]], dtype=float)
Y = np.array(["no", "no", "no", "yes", "yes"])


def test_rates_by_hand() -> None:
    found = rates(np.array(["yes", "yes", "no", "yes", "yes"]), Y, np.array(["no", "yes"]))
    np.testing.assert_allclose(found, [[0, 1 / 3], [2 / 3, 1]])


def test_every_member_has_a_dot_for_every_class(ax: Axes) -> None:
    classes = ("no", "yes")
    members = [
        Member("ok", {"val_error": e, "weights": w}, model=chooser(i, classes))
        for i, (e, w) in enumerate([(0.1, 9), (0.2, 3)])
    ]
    assert plot_learnability(Front(tuple(members), ("error", "weights")), X, Y, ax) is ax
    found = dots(ax)
    # The first is always right, the second says yes to two rows that are no; the one of more weights comes first.
    np.testing.assert_allclose(found["no"], [(0, 1), (0, 1 / 3)])
    np.testing.assert_allclose(found["yes"], [(0, 1), (2 / 3, 1)])
    for kind in ax.collections:
        sizes = kind.get_sizes()
        assert sizes[0] > sizes[1]
    assert legend(ax) == ["no", "yes"]
    assert drawn(ax)


@pytest.mark.parametrize("count", [1, 300])
def test_learnability_of_any_number(ax: Axes, count: int) -> None:
    members = tuple(
        Member("ok", {"val_error": 0.1, "weights": 1.0 + i}, model=chooser(i % 2, (0, 1))) for i in range(count)
    )
    plot_learnability(Front(members, ("error", "weights")), X, (Y == "yes").astype(int), ax)
    assert {name: len(places) for name, places in dots(ax).items()} == {"0": count, "1": count}
    assert drawn(ax)


def test_a_class_without_rows_is_left_out(ax: Axes) -> None:
    nodes = np.concatenate([chooser(0, ("a", "b")).nodes] * 3)
    tree = Tree(nodes, "multiclass", ("a", "b"), ("no", "yes", "never"))
    plot_learnability(Front((Member("ok", {"val_error": 0.1, "weights": 1.0}, model=tree),), ("error",)), X, Y, ax)
    assert legend(ax) == ["no", "yes"]


def test_learnability_of_what_has_none(ax: Axes) -> None:
    one = {"val_error": 0.1, "weights": 1.0}
    regression = Tree(chooser(0, ("a", "b")).nodes, "regression", ("a", "b"))
    with pytest.raises(ValueError, match=r"^the front is of a regression; learnability needs classes$"):
        plot_learnability(Front((Member("ok", one, model=regression),), ("error",)), X, Y, ax)
    front = Front((Member("ok", one, model=chooser(0, ("no", "yes"))),), ("error",))
    with pytest.raises(ValueError, match=r"^y has labels that the trees do not know: maybe; allowed: no, yes$"):
        plot_learnability(front, X, np.where(Y == "no", "maybe", Y), ax)
    with pytest.raises(ValueError, match=r"^y has rows of one class only"):
        plot_learnability(front, X, np.full(5, "no"), ax)


# Genealogy.


def test_ancestors_are_drawn_by_generation_and_operator(ax: Axes) -> None:
    assert plot_genealogy(history(), 6, ax) is ax
    found = dots(ax)
    assert {name: sorted(x for x, _ in places) for name, places in found.items()} == {
        "random": [0, 0, 0],
        "crossover": [1, 2],
        "one leaf": [1],
        "tree 6": [2],
    }
    edges = next(c for c in ax.collections if isinstance(c, LineCollection)).get_paths()
    assert sorted((path.vertices[0, 0], path.vertices[1, 0]) for path in edges) == [(1, 0)] * 3 + [(2, 1)] * 2
    assert found["tree 6"][0] in found["crossover"]
    assert ax.get_title() == ""
    assert drawn(ax)


def test_a_tree_without_parents(ax: Axes) -> None:
    plot_genealogy(history(), 1, ax)
    assert len(dots(ax)["random"]) == 1
    assert drawn(ax)


@pytest.mark.parametrize("tree", [-1, 8, 1.5])
def test_ids_that_no_tree_has(ax: Axes, tree: float) -> None:
    with pytest.raises(ValueError, match=f"^no tree has the id {tree}; allowed: whole numbers from 0 to 7$"):
        plot_genealogy(history(), tree, ax)


def long_history(generations: int, each: int) -> History:
    """Every tree is a crossover of two random ones of the generation before."""
    rng = np.random.default_rng(0)
    first = np.full((each, 2), -1)
    later = [rng.integers(0, each, (each, 2)) + each * (g - 1) for g in range(1, generations)]
    count = generations * each
    return history(
        parents=np.concatenate([first, *later]),
        operator=np.where(np.arange(count) < each, "random", "crossover"),
        generation=np.arange(count) // each,
    )


def test_of_many_ancestors_two_hundred_are_drawn_and_it_is_said(ax: Axes) -> None:
    past = long_history(40, 60)
    plot_genealogy(past, 2399, ax)
    count = len(parents_of(past.parents, 2399)) - 1
    assert sum(len(places) for name, places in dots(ax).items() if name != "tree 2399") == 201
    assert ax.get_title() == f"200 of {count:,} ancestors: those with the largest shares"
    assert drawn(ax)


def test_shares_by_hand() -> None:
    # 5 is made of 3 and 4, 4 of 1 and 2, 3 of 2 alone: 2 has a half and a quarter, 1 a quarter.
    parents = {5: [3, 4], 4: [1, 2], 3: [2], 2: [], 1: []}
    assert most_influential(parents, 5, 0) == {5}
    assert most_influential(parents, 5, 1) == {5, 4}  # of equal shares the later one
    assert most_influential(parents, 5, 2) == {5, 4, 2}
    assert most_influential(parents, 5, 3) == {5, 4, 3, 2}
    assert most_influential(parents, 5, 99) == {1, 2, 3, 4, 5}
    # Here 0 has a half, 1 and 2 have a quarter each.
    assert most_influential({5: [3, 4], 4: [1, 2], 3: [0], 2: [], 1: [], 0: []}, 5, 3) == {5, 4, 3, 0}


def test_all_that_is_drawn_has_a_child_that_is_drawn() -> None:
    parents = parents_of(long_history(30, 50).parents, 1499)
    shown = most_influential(parents, 1499, 100)
    assert len(shown) == 101
    held = {up for child in shown for up in parents[child]}
    assert shown - {1499} <= held


def test_nobody_of_a_generation_is_nearer_than_one() -> None:
    past = long_history(20, 30)
    parents = parents_of(past.parents, 599)
    height = layout(parents, past.generation)
    for generation in range(20):
        here = sorted(height[tree] for tree in parents if past.generation[tree] == generation)
        assert (np.diff(here) >= 1 - 1e-9).all()


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ([], []),
        ([3.0], [3]),
        ([0, 5, 9], [0, 5, 9]),
        ([1, 1], [0.5, 1.5]),
        ([0, 0, 0, 10], [-1, 0, 1, 10]),
        ([0, 0.2, 5, 5], [-0.4, 0.6, 4.5, 5.5]),
    ],
)
def test_spreading_moves_as_little_as_need_be(wanted: list[float], got: list[float]) -> None:
    np.testing.assert_allclose(spread(wanted), got)


def test_every_operator_has_a_look_of_its_own() -> None:
    assert {"random", UNCHANGED, *(row.name for row in OPERATORS)} <= set(LOOKS)
    assert len({(look.colour, look.marker) for look in LOOKS.values()}) == len(LOOKS)


# Without pyplot.


def test_with_axes_given_pyplot_is_not_even_imported() -> None:
    code = """
import sys
from matplotlib.figure import Figure
from search.front import Front, Member
from search.pictures import plot_front, plot_parallel
front = Front((Member("ok", {"val_error": 0.1, "weights": 3.0}),), ("error", "weights"))
for plot in (plot_front, plot_parallel):
    plot(front, ax=Figure().subplots())
print("matplotlib.pyplot" in sys.modules)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_new_axes_are_of_a_figure_that_pyplot_shows() -> None:
    for draw in (
        lambda: plot_front(FOUR),
        lambda: plot_front_3d(FOUR, "weights", "latency_s", "val_error"),
        lambda: plot_parallel(FOUR),
        lambda: plot_generations(history()),
        lambda: plot_hypervolume(history()),
        lambda: plot_activations(history()),
        lambda: plot_genealogy(history(), 6),
    ):
        ax = draw()
        assert plt.gcf() is ax.figure
        plt.close(ax.figure)
