"""Survivor selection by hypervolume, NSGA-II or NSGA-III. Every objective is minimised.

Feasible candidates (violation 0) come before infeasible ones, which are ordered by their violation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from search.errors import InputError
from search.selection.hypervolume import Indices, finite_rows, truncate
from search.selection.nsga import nsga2, nsga3

EXACT_OBJECTIVES = 5  # the cost of an exact hypervolume grows exponentially with the objectives

Select = Callable[[FloatArray, FloatArray, int, ArrayLike, np.random.Generator], Indices]


class Method(NamedTuple):
    """A row of METHODS; ``select(points, violation, keep, reference, rng)`` returns ascending indices."""

    doc: str
    select: Select


def ranks(points: ArrayLike, violation: ArrayLike) -> NDArray[np.int64]:
    """The rank of each point (points,), from 0, the best: first the non-dominated fronts of the feasible points.

    One more rank follows for each distinct violation, smallest first. `points` is (points, objectives), `violation`
    (points,) the total by which constraints are broken. Equal points with equal violation have the same rank.
    """
    array = finite_rows(points)
    broken = _violations(violation, len(array))
    feasible = broken == 0
    rank = np.empty(len(array), dtype=np.int64)
    rank[feasible] = moocore.pareto_rank(array[feasible])
    behind = rank[feasible].max(initial=-1) + 1
    rank[~feasible] = behind + np.unique(broken[~feasible], return_inverse=True)[1]
    return rank


def survivors(
    objectives: ArrayLike,
    violation: ArrayLike,
    keep: int,
    *,
    method: str,
    reference: ArrayLike,
    rng: np.random.Generator,
) -> Indices:
    """Ascending indices of the `keep` candidates that a row of METHODS selects, or of all if there are no more.

    `objectives` is (candidates, objectives), `violation` (candidates,). `reference` (objectives,) is read by
    "hypervolume" only, `rng` by "nsga3" only.
    """
    points = finite_rows(objectives)
    broken = _violations(violation, len(points))
    check_method(method, points.shape[1])
    if keep < 0:
        raise ValueError(f"cannot keep {keep} candidates: keep must be 0 or more")
    if keep == 0 or keep >= len(points):
        return np.arange(min(keep, len(points)))
    return METHODS[method].select(points, broken, keep, reference, rng)


def check_method(method: str, n_objectives: int) -> None:
    """InputError unless METHODS has `method` and it can serve that many objectives."""
    if method not in METHODS:
        raise InputError(f"unknown selection method {method!r}: choose one of {', '.join(METHODS)}")
    if method == "hypervolume" and n_objectives > EXACT_OBJECTIVES:
        raise InputError(
            f"selection by exact hypervolume is affordable up to {EXACT_OBJECTIVES} objectives, got {n_objectives}: "
            "use 'nsga3', or aggregate objectives (balanced_error is the mean of class_errors)"
        )


def sel_hypervolume(individuals: Sequence[Any], k: int, reference: Sequence[float]) -> list[Any]:
    """Selection by hypervolume as a DEAP operator: `toolbox.register("select", sel_hypervolume, reference=(1, 500))`.

    `reference` holds the worst value of interest of each objective, in the units of `fitness.values`; an objective with
    a positive weight is maximised. An individual whose `fitness.constraint_violation` sums to more than 0 is
    infeasible, and may have no values. Returns `k` of the individuals, or all if there are no more, in the order given.
    """
    if not individuals:
        return []
    bound = -np.multiply(individuals[0].fitness.weights, reference, dtype=np.float64)
    violation = [_total_violation(each.fitness) for each in individuals]
    # An individual without values is put at the reference, so it contributes nothing among equally infeasible ones.
    points = [np.negative(each.fitness.wvalues) if each.fitness.valid else bound for each in individuals]
    unread = np.random.default_rng(0)
    chosen = survivors(points, violation, k, method="hypervolume", reference=bound, rng=unread)
    return [individuals[i] for i in chosen]


def _total_violation(fitness: Any) -> float:
    """The sum over the constraints; a plain fitness of DEAP has no such field, a `ConstrainedFitness` may hold None."""
    violation = getattr(fitness, "constraint_violation", None)
    if violation is None and not fitness.valid:
        raise ValueError("an individual has neither fitness values nor a constraint violation: evaluate it first")
    return 0.0 if violation is None else float(np.sum(violation))


def _violations(violation: ArrayLike, n_points: int) -> FloatArray:
    array = np.asarray(violation, dtype=np.float64)
    if array.shape != (n_points,) or not (array >= 0).all():
        raise ValueError(f"expected {n_points} violations of 0 or more, got {array.tolist()}")
    return array


def _by_hypervolume(
    points: FloatArray, violation: FloatArray, keep: int, reference: ArrayLike, rng: np.random.Generator
) -> Indices:
    """Whole fronts as long as they fit, then the first front that does not, truncated by hypervolume contributions."""
    del rng
    rank = ranks(points, violation)
    last = np.searchsorted(np.cumsum(np.bincount(rank)), keep)
    whole, front = np.flatnonzero(rank < last), np.flatnonzero(rank == last)
    return np.sort(np.concatenate([whole, front[truncate(points[front], reference, keep - len(whole))]]))


def _feasible_first(select: Callable[[FloatArray, int, np.random.Generator], Indices]) -> Select:
    """Selection that lets `select` choose among the feasible candidates, if they are more than `keep`."""

    def method(
        points: FloatArray, violation: FloatArray, keep: int, reference: ArrayLike, rng: np.random.Generator
    ) -> Indices:
        del reference
        feasible = np.flatnonzero(violation == 0)
        if len(feasible) <= keep:
            return np.sort(np.argsort(violation, kind="stable")[:keep])
        return feasible[select(points[feasible], keep, rng)]

    return method


METHODS: dict[str, Method] = {
    "hypervolume": Method(
        "exact hypervolume contributions, with greedy removal as in SMS-EMOA; up to 5 objectives", _by_hypervolume
    ),
    "nsga2": Method("non-domination ranks, then crowding distances (DEAP)", _feasible_first(nsga2)),
    "nsga3": Method(
        "non-domination ranks, then niches around reference directions (DEAP); for many objectives",
        _feasible_first(nsga3),
    ),
}
