"""Minimisers without gradients, of SciPy and pymoo, with the settings of the sources: one row of a table each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray

Losses = Callable[[FloatArray], FloatArray]  # (vectors, weights) -> (vectors,)


class Search(NamedTuple):
    """``losses`` of vectors between ``low`` and ``high`` (weights,); about ``budget`` vectors may be evaluated."""

    losses: Losses
    low: FloatArray
    high: FloatArray
    budget: int
    seed: int

    def drawn(self, count: int) -> FloatArray:
        """(count, weights) uniform vectors, the same for every minimiser."""
        return np.random.default_rng(self.seed).uniform(self.low, self.high, (count, len(self.low)))


def differential_evolution(search: Search, *, population: int, options: dict[str, Any]) -> FloatArray:
    from scipy import optimize

    found = optimize.differential_evolution(
        lambda vectors: search.losses(vectors.T),
        list(zip(search.low, search.high, strict=True)),
        init=search.drawn(population),
        maxiter=max(search.budget // population - 1, 1),
        tol=0,
        polish=False,
        updating="deferred",
        vectorized=True,
        rng=search.seed,
        **options,
    )
    return np.asarray(found.x)


def particle_swarm(search: Search, *, population: int, options: dict[str, Any]) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymoo warns that it runs without its compiled modules
        from pymoo.algorithms.soo.nonconvex.pso import PSO
        from pymoo.core.problem import Problem
        from pymoo.optimize import minimize

    class Weights(Problem):
        def _evaluate(self, x: FloatArray, out: dict[str, Any], *args: Any, **more: Any) -> None:
            out["F"] = search.losses(x)[:, None]

    problem = Weights(n_var=len(search.low), n_obj=1, xl=search.low, xu=search.high)
    swarm = PSO(pop_size=population, sampling=search.drawn(population), adaptive=False, pertube_best=False, **options)
    found = minimize(problem, swarm, ("n_eval", search.budget), seed=search.seed)
    return np.asarray(found.X)


def random_search(search: Search, *, population: int, options: dict[str, Any]) -> FloatArray:
    del options
    best, lowest, left = search.drawn(1)[0], np.inf, search.budget
    drawn = search.drawn(search.budget)
    while left > 0:
        vectors = drawn[left - min(left, population) : left]
        losses = search.losses(vectors)
        if losses.min() < lowest:
            best, lowest = vectors[losses.argmin()], losses.min()
        left -= len(vectors)
    return best


class Minimiser(NamedTuple):
    """A call returns the best vector found (weights,)."""

    minimise: Callable[..., FloatArray]
    population: int
    options: dict[str, Any]
    doc: str

    def __call__(self, search: Search) -> FloatArray:
        return self.minimise(search, population=self.population, options=self.options)


MINIMISERS = {
    "de": Minimiser(
        differential_evolution,
        20,
        {"strategy": "rand1bin", "mutation": 0.8, "recombination": 0.7},
        "differential evolution as in MONT: F .8, CR .7, population 20",
    ),
    "de_hfnt": Minimiser(
        differential_evolution,
        50,
        {"strategy": "randtobest1bin", "mutation": 0.7, "recombination": 0.9},
        "as in HFNT: F .7, CR .9, population 50, rand-to-best",
    ),
    "pso": Minimiser(
        particle_swarm, 20, {"w": 0.729, "c1": 1.49445, "c2": 1.49445}, "particle swarm as in MONT: w .729, c 1.49445"
    ),
    "random": Minimiser(random_search, 20, {}, "the best of uniform vectors"),
}
