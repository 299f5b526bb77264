"""Hypervolume and truncation against brute force over a grid, hand-computed values and repeated exact removal."""

from itertools import pairwise, product
from math import prod

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pymoo.indicators.hv import HV

from search.selection.hypervolume import hypervolume, truncate


def grid_volume(points, reference):
    """Cuts space at every coordinate and adds the cells that some point dominates: exact on Python integers."""
    points = [p for p in points if all(x < r for x, r in zip(p, reference, strict=True))]
    cuts = [[*sorted({p[j] for p in points}), r] for j, r in enumerate(reference)]
    volume = 0
    for cell in product(*map(pairwise, cuts)):
        if any(all(x <= low for x, (low, _) in zip(p, cell, strict=True)) for p in points):
            volume += prod(high - low for low, high in cell)
    return volume


def brute_removal(points, reference, keep):
    """Indices left by removing the least leave-one-out contributor again and again, of equals the highest index."""
    alive = list(range(len(points)))
    while len(alive) > keep:
        without = [grid_volume([points[j] for j in alive if j != i], reference) for i in alive]
        alive.pop(max(k for k, volume in enumerate(without) if volume == max(without)))
    return alive


def contribution_removal(points, reference, keep):
    """The same by repeated moocore.hv_contributions, for sizes that the grid cannot reach; no ties expected."""
    alive = np.arange(len(points))
    while len(alive) > keep:
        alive = np.delete(alive, np.argmin(moocore.hv_contributions(points[alive], ref=reference)))
    return alive.tolist()


def front(n_points: int, n_objectives: int, seed: int) -> NDArray[np.float64]:
    """Mutually non-dominated points: uniform on the simplex."""
    return np.random.default_rng(seed).dirichlet(np.ones(n_objectives), size=n_points)


@st.composite
def integer_points(draw, max_points=6, max_objectives=4):
    """Small integers up to beyond the reference 4: many duplicates, ties, dominated points and points out of bounds."""
    n_objectives = draw(st.integers(1, max_objectives))
    row = st.tuples(*[st.integers(0, 5)] * n_objectives)
    return draw(st.lists(row, min_size=1, max_size=max_points))


@pytest.mark.parametrize(
    ("points", "reference", "volume"),
    [
        ([[1, 2]], [3, 5], 6),
        ([[1, 3], [2, 1]], [4, 4], 7),
        ([[1, 3], [1, 3], [2, 1], [3, 3]], [4, 4], 7),
        ([[5, 5], [4, 6], [2, 7], [7, 4]], [10, 10], 38),
        ([[4, 0], [0, 4], [-9, 5]], [4, 4], 0),
        ([[1, 2], [0, 9]], [3, 5], 6),
        ([[2], [1], [7]], [4], 3),
        (np.empty((0, 2)), [1, 1], 0),
    ],
)
def test_hypervolume_computed_by_hand(points, reference, volume):
    assert hypervolume(points, reference) == volume


@settings(derandomize=True, deadline=None, max_examples=100)
@given(integer_points())
def test_hypervolume_is_the_grid_volume(points):
    reference = [4] * len(points[0])
    assert hypervolume(points, reference) == grid_volume(points, reference)


@pytest.mark.parametrize("n_objectives", [2, 3, 4, 5])
def test_hypervolume_agrees_with_pymoo(n_objectives):
    points = np.random.default_rng(n_objectives).random((100, n_objectives)) * 1.2
    assert hypervolume(points, np.ones(n_objectives)) == pytest.approx(HV(ref_point=np.ones(n_objectives))(points))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[st.floats(-2, 2, width=32)] * 4), min_size=1, max_size=12))
def test_adding_a_point_never_lowers_the_hypervolume(points):
    reference = [1, 1.5, 1, 2]
    assert hypervolume(points, reference) >= hypervolume(points[:-1] or np.empty((0, 4)), reference) * (1 - 1e-12)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(integer_points(), st.integers(0, 6))
def test_truncation_is_repeated_exact_removal(points, keep):
    reference = [4] * len(points[0])
    assert truncate(points, reference, keep).tolist() == brute_removal(points, reference, keep)


@pytest.mark.parametrize(("n_objectives", "n_points"), [(2, 12), (3, 10), (4, 8), (5, 6)])
def test_truncation_of_a_front_is_repeated_exact_removal(n_objectives, n_points):
    points, reference = front(n_points, n_objectives, seed=7), np.full(n_objectives, 1.1)
    for keep in (1, n_points // 2, n_points - 1):
        assert truncate(points, reference, keep).tolist() == brute_removal(points.tolist(), reference.tolist(), keep)


@pytest.mark.parametrize(("n_objectives", "n_points"), [(2, 300), (3, 200), (4, 60), (5, 40)])
@pytest.mark.parametrize("curve", [0.5, 1.0, 2.0])
def test_truncation_of_a_large_front_is_repeated_exact_removal(n_objectives, n_points, curve):
    points, reference = front(n_points, n_objectives, seed=11) ** curve, np.full(n_objectives, 1.1)
    expected = contribution_removal(points, reference, n_points // 3)
    assert truncate(points, reference, n_points // 3).tolist() == expected


def test_a_far_reference_point_costs_no_digits():
    """The box up to the reference has a volume of 1e24 here: contributions of a few units would drown in rounding."""
    points = np.unique(np.random.default_rng(3).multinomial(16, [0.25] * 4, size=14), axis=0)
    reference = [10**6] * 4
    expected = brute_removal(points.tolist(), reference, 6)
    assert truncate(points, reference, 6).tolist() == expected


def test_only_one_of_two_equal_points_is_dropped():
    points, reference = [[1.0, 3.0], [2.0, 1.0], [2.0, 1.0]], [4.0, 4.0]
    assert moocore.hv_contributions(points, ref=reference).tolist() == [1.0, 0.0, 0.0]  # at once, both would go
    assert truncate(points, reference, 2).tolist() == [0, 1]
    assert truncate(points, reference, 1).tolist() == [1]


def test_contributions_grow_as_neighbours_leave():
    points, reference = [[0.0, 3.0], [1.0, 1.25], [1.5, 1.0], [3.0, 0.0]], [4.0, 4.0]
    assert moocore.hv_contributions(points, ref=reference).tolist() == [1.0, 0.875, 0.375, 1.0]  # at once: 1 and 2 go
    # Without 2 they are 1, 3.5 and 1.25.
    assert truncate(points, reference, 2).tolist() == [1, 3]


def test_of_equal_contributions_the_highest_index_goes_first():
    points, reference = [[0, 2], [1, 1], [2, 0]], [3, 3]  # each contributes 1
    assert truncate(points, reference, 2).tolist() == [0, 1]
    assert truncate(points[::-1], reference, 2).tolist() == [0, 1]


def test_many_copies_of_few_points():
    distinct = front(5, 3, seed=1)
    which = np.random.default_rng(2).integers(0, 5, 3000)
    firsts = sorted(which.tolist().index(i) for i in range(5))
    copies = [i for i in range(3000) if i not in firsts]
    assert truncate(distinct[which], np.ones(3), 1500).tolist() == sorted(firsts + copies[:1495])
    assert truncate(distinct[which], np.ones(3), 5).tolist() == firsts


def test_points_beyond_the_reference_go_before_all_others():
    points = [[0.5, 0.5], [-100.0, 1.0], [0.0, 0.99], [0.9, -0.1], [-100.0, 2.0]]
    assert truncate(points, [1.0, 1.0], 3).tolist() == [0, 2, 3]
    assert truncate(points, [1.0, 1.0], 4).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("keep", "left"), [(0, []), (1, [0]), (2, [0])])
def test_one_point(keep, left):
    assert truncate([[0.5, 0.5, 0.5, 0.5]], [1, 1, 1, 1], keep).tolist() == left


def test_no_point_is_left_or_needed():
    assert truncate(front(9, 4, seed=5), np.ones(4), 0).tolist() == []
    assert truncate(front(9, 4, seed=5), np.ones(4), 20).tolist() == list(range(9))
    assert truncate(np.empty((0, 3)), np.ones(3), 2).tolist() == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_refused(bad):
    points = [[1.0, 2.0], [bad, 1.0]]
    with pytest.raises(ValueError, match="row 1"):
        hypervolume(points, [3.0, 3.0])
    with pytest.raises(ValueError, match="row 1"):
        truncate(points, [3.0, 3.0], 1)


def test_moocore_ignores_such_rows():
    """The reason for the check above: should this fail, moocore has changed its mind."""
    assert moocore.hypervolume([[np.nan, 1.0], [1.0, 2.0]], ref=[3.0, 3.0]) == 2.0


@pytest.mark.parametrize("convert", [np.asfortranarray, np.uint8, np.float32, lambda a: np.repeat(a, 2, 1)[:, ::2]])
def test_any_number_type_and_memory_layout_gives_the_same(convert):
    points = np.random.default_rng(4).integers(0, 50, (40, 3))
    given_points = convert(points)
    before = given_points.copy()
    assert hypervolume(given_points, np.array([45, 45, 45])) == hypervolume(points * 1.0, [45, 45, 45])
    assert np.array_equal(truncate(given_points, [45.5] * 3, 5), truncate(points * 1.0, [45.5] * 3, 5))
    assert np.array_equal(given_points, before)


@pytest.mark.parametrize(
    ("points", "reference", "keep", "message"),
    [
        ([[1.0, 1.0]], [2.0, 2.0], -1, "keep must be 0 or more"),
        ([[1.0, 1.0]], [2.0], 1, "2 finite reference values"),
        ([[1.0, 1.0]], [2.0, np.nan], 1, "2 finite reference values"),
        ([1.0, 1.0], [2.0, 2.0], 1, "shape"),
    ],
)
def test_wrong_arguments_are_named(points, reference, keep, message):
    with pytest.raises(ValueError, match=message):
        truncate(points, reference, keep)
