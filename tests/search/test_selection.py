"""Selection against brute-force fronts, crowding and lattices, and the traps of moocore and DEAP."""

import random

import moocore
import numpy as np
import pytest
from deap import base, tools
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from search.errors import InputError
from search.selection.survivors import METHODS, check_method, ranks, sel_hypervolume, survivors


def select(points, keep, method, violation=None, seed=0, reference=None):
    """`survivors` as a list, with the defaults most tests share."""
    points = np.asarray(points)
    violation = np.zeros(len(points)) if violation is None else violation
    reference = np.full(points.shape[1], 1.1) if reference is None else reference
    rng = np.random.default_rng(seed)
    return survivors(points, violation, keep, method=method, reference=reference, rng=rng).tolist()


def peel(points):
    """Rank by taking off one non-dominated front after the other, pair by pair."""
    rank, front = {}, 0
    while len(rank) < len(points):
        left = [i for i in range(len(points)) if i not in rank]
        beaten = {i for i in left for j in left if all(points[j] <= points[i]) and any(points[j] < points[i])}
        rank.update(dict.fromkeys([i for i in left if i not in beaten], front))
        front += 1
    return [rank[i] for i in range(len(points))]


def crowding(points):
    """Crowding distance of each point, as NSGA-II defines it (Deb 2002, section III-B)."""
    distance = np.zeros(len(points))
    for column in np.asarray(points).T:
        order = np.argsort(column)
        distance[order[[0, -1]]] = np.inf
        distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / np.ptp(column)
    return distance


@st.composite
def integer_points(draw):
    n_objectives = draw(st.integers(1, 5))
    return np.array(draw(st.lists(st.tuples(*[st.integers(0, 3)] * n_objectives), min_size=1, max_size=15)))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(integer_points())
def test_ranks_are_the_fronts_peeled_off_and_equal_points_share_one(points):
    assert ranks(points, np.zeros(len(points))).tolist() == peel(points)


@pytest.mark.parametrize("n_objectives", [2, 3, 4, 5])
def test_ranks_agree_with_pymoo(n_objectives):
    points = np.random.default_rng(n_objectives).random((200, n_objectives))
    fronts = NonDominatedSorting().do(points)
    assert ranks(points, np.zeros(200)).tolist() == [
        next(r for r, f in enumerate(fronts) if i in f) for i in range(200)
    ]


def test_the_infeasible_come_after_all_feasible_in_the_order_of_their_violation():
    points = [[0, 0], [2, 2], [0, 0], [1, 1], [0, 0], [9, 9]]
    assert ranks(points, [0.5, 0, 0.1, 0, np.inf, 0.1]).tolist() == [3, 1, 2, 0, 4, 2]
    assert ranks(points[:2], [2.0, 1.0]).tolist() == [1, 0]


@pytest.mark.parametrize("violation", [[0.0], [0.0, -1.0], [0.0, np.nan]])
def test_violations_must_be_one_number_of_0_or_more_each(violation):
    with pytest.raises(ValueError, match="2 violations of 0 or more"):
        ranks([[1.0, 2.0], [2.0, 1.0]], violation)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_objectives", [1, 2, 3, 5])
@pytest.mark.parametrize("keep", [0, 1, 7, 30, 59, 60, 99])
def test_every_method_keeps_better_fronts_first(method, n_objectives, keep):
    points = np.random.default_rng(keep).integers(0, 6, (60, n_objectives))
    chosen = select(points, keep, method, reference=np.full(n_objectives, 6))
    assert len(chosen) == min(keep, 60)
    assert chosen == sorted(set(chosen))
    rank = np.array(peel(points))
    assert max(rank[chosen], default=0) <= min(np.delete(rank, chosen), default=60)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_the_feasible_first_and_then_the_least_infeasible(method):
    points = np.random.default_rng(1).random((8, 3)) + [[0, 0, 0], [9, 9, 9]] * 4  # the odd ones are far worse
    violation = np.array([1, 0, 3, 0, 2, 0, 2.5, 0])
    assert select(points, 4, method, violation) == [1, 3, 5, 7]
    assert select(points, 6, method, violation) == [0, 1, 3, 4, 5, 7]
    assert select(points[1::2], 2, method) == select(points[1::2], 2, method, np.zeros(4))
    assert set(select(points, 2, method, violation)) == {1 + 2 * i for i in select(points[1::2], 2, method)}
    assert select(points, 3, method, np.full(8, 2.0) - np.arange(8) / 8) == [5, 6, 7]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_every_method_refuses_objectives_that_are_not_finite(method, bad):
    with pytest.raises(ValueError, match="row 2"):
        select([[0.1, 0.2], [0.2, 0.1], [bad, 0.9]], 2, method)


def test_in_deap_nothing_dominates_nan():
    """The reason for the check above: such an individual would sit in the first front for good."""
    population = individuals([(0.0, 0.0), (1.0, 1.0), (np.nan, np.nan)], (-1.0, -1.0))
    assert list(map(id, tools.sortNondominated(population, 3)[0])) == [id(population[0]), id(population[2])]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_selects_one_of_one(method):
    assert select([[0.5, 0.5]], 1, method) == [0]
    assert select([[0.5, 0.5]] * 3, 1, method)[0] in (0, 1, 2)
    assert select(np.empty((0, 2)), 1, method) == []


@pytest.mark.parametrize("n_objectives", [2, 3, 4])
def test_hypervolume_truncates_the_front_that_does_not_fit(n_objectives):
    points, reference = np.random.default_rng(5).random((60, n_objectives)), np.full(n_objectives, 1.1)
    rank = np.array(peel(points))
    keep = int((rank < 1).sum() + (rank == 1).sum() // 2)
    front = np.flatnonzero(rank == 1)
    while len(front) > keep - (rank < 1).sum():
        volumes = [moocore.hypervolume(np.delete(points[front], i, axis=0), ref=reference) for i in range(len(front))]
        front = np.delete(front, np.argmax(volumes))
    assert select(points, keep, "hypervolume") == sorted([*np.flatnonzero(rank < 1), *front])


@pytest.mark.parametrize("n_objectives", [2, 4])
def test_nsga2_takes_the_least_crowded_of_the_front_that_does_not_fit(n_objectives):
    points = np.random.default_rng(6).random((80, n_objectives))
    rank = np.array(peel(points))
    keep = int((rank < 1).sum() + (rank == 1).sum() // 2)
    front = np.flatnonzero(rank == 1)
    best = front[np.argsort(-crowding(points[front]), kind="stable")][: keep - (rank < 1).sum()]
    assert select(points, keep, "nsga2") == sorted([*np.flatnonzero(rank < 1), *best])


def test_nsga3_keeps_of_each_niche_the_point_on_its_line():
    """15 directions, a point on each and 60 beside them."""
    beside = np.random.default_rng(8).dirichlet(np.ones(3), size=60)
    points = np.concatenate([beside, tools.uniform_reference_points(3, 4)])
    assert select(points, 15, "nsga3") == list(range(60, 75))


@pytest.mark.parametrize("unit", [2.0**-30, 2.0**20, [2.0**-30, 1.0, 2.0**20]])
@pytest.mark.parametrize("origin", [0.0, [5.0, -300.0, 2.0**20]])
def test_nsga3_depends_on_neither_unit_nor_origin(unit, origin):
    points = np.random.default_rng(8).integers(0, 1024, (100, 3)) * 1.0  # powers of two and integers: all is exact
    assert select(points * unit + origin, 40, "nsga3") == select(points, 40, "nsga3")


def test_nsga3_draws_from_the_given_generator_only():
    points = np.random.default_rng(9).dirichlet(np.ones(3), size=100)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    chosen = [select(points, 40, "nsga3", seed=seed) for seed in (0, 0, 1)]
    drawn = random.random(), np.random.random()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert drawn == (random.random(), np.random.random())  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert chosen[0] == chosen[1] == select(points, 40, "nsga3", seed=0)
    assert chosen[0] != chosen[2]


def test_exact_hypervolume_is_for_at_most_five_objectives():
    for method in METHODS:
        check_method(method, 5)
    check_method("nsga3", 12)
    with pytest.raises(InputError, match=r"up to 5 objectives, got 6.*nsga3.*aggregate"):
        check_method("hypervolume", 6)
    with pytest.raises(InputError, match="up to 5 objectives"):
        select(np.ones((3, 6)), 1, "hypervolume")
    with pytest.raises(InputError, match="'nsga4': choose one of hypervolume, nsga2, nsga3"):
        check_method("nsga4", 2)


def test_a_negative_number_cannot_be_kept():
    with pytest.raises(ValueError, match="keep must be 0 or more"):
        select([[0.5, 0.5]], -1, "nsga2")


class Individual(list):
    """As DEAP's creator makes them."""

    def __init__(self, fitness):
        self.fitness = fitness


def individuals(values, weights, kind=base.Fitness):
    fitness = type("Weighted", (kind,), {"weights": weights})
    return [Individual(fitness(row)) for row in values]


@pytest.mark.parametrize("weights", [(-1.0, -1.0, -1.0), (1.0, -1.0, 1.0), (-2.0, 1.0, 0.5)])
def test_the_deap_operator_selects_what_survives_whatever_the_signs(weights):
    minimised = np.random.default_rng(10).dirichlet(np.ones(3), size=30)
    signs = -np.sign(weights)
    population = individuals((minimised * signs).tolist(), weights)
    toolbox = base.Toolbox()
    toolbox.register("select", sel_hypervolume, reference=(1.1 * signs).tolist())
    chosen = toolbox.select(population, 12)
    expected = select(minimised, 12, "hypervolume")
    assert list(map(id, chosen)) == [id(population[i]) for i in expected]
    assert toolbox.select(population, 0) == toolbox.select([], 3) == []
    assert len(toolbox.select(population, 31)) == 30


def test_the_deap_operator_puts_broken_constraints_last():
    population = individuals([(1.0, 3.0), (3.0, 1.0), (2.0, 2.0), (), ()], (-1.0, -1.0), base.ConstrainedFitness)
    broken = [None, [0.0, 0.0], [0.375, 0.0], [0.125, 0.125], [0.1875, 0.1875]]
    for one, violation in zip(population, broken, strict=True):
        one.fitness.constraint_violation = violation
    orders = [[population[i] for i in kept] for kept in ([0, 1], [0, 1, 3], [0, 1, 2, 3])]
    for expected in orders:
        chosen = sel_hypervolume(population, len(expected), reference=(4.0, 4.0))
        assert list(map(id, chosen)) == list(map(id, expected))


@pytest.mark.parametrize(("values", "message"), [((), "evaluate it first"), ((np.nan, 1.0), "row 1")])
def test_the_deap_operator_refuses_individuals_that_have_no_value(values, message):
    population = individuals([(1.0, 2.0), values, (2.0, 1.0)], (-1.0, -1.0))
    with pytest.raises(ValueError, match=message):
        sel_hypervolume(population, 2, reference=(3.0, 3.0))
