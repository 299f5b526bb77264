"""NSGA-II and NSGA-III of DEAP on plain arrays. Every objective is minimised."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import comb

import numpy as np
from deap import base, tools

from neuraltree.arrays import FloatArray
from search.selection.hypervolume import Indices


@dataclass(frozen=True)
class _Row:
    """An individual for DEAP's selection: its fitness, and the index of its row in ``points``."""

    index: int
    fitness: base.Fitness


_lending = threading.Lock()
MOST_NICHES = 1000  # DEAP holds candidates x niches x objectives numbers several times over


def nsga2(points: FloatArray, keep: int, rng: np.random.Generator) -> Indices:
    """Ascending indices of the `keep` rows of `points` (points, objectives) chosen by front, then by crowding."""
    del rng
    return _indices(tools.selNSGA2(_rows(points), keep, nd=_sorting(points)))


def nsga3(points: FloatArray, keep: int, rng: np.random.Generator) -> Indices:
    """Ascending indices of the `keep` rows of `points` (points, objectives) chosen by front, then by niche.

    Each point of a simplex lattice makes a niche. The lattice is the finest with at most `keep` and at most
    MOST_NICHES points, but it has at least one point per objective.
    """
    n_objectives = points.shape[1]
    divisions = max(
        (p for p in range(1, keep + 1) if comb(p + n_objectives - 1, p) <= min(keep, MOST_NICHES)), default=1
    )
    lattice = tools.uniform_reference_points(n_objectives, divisions)
    # DEAP uses intercepts, which are relative to the ideal point, as if they were absolute, and compares them to 1e-6.
    # Neither does harm if the ideal point is at the origin and the worst point at 1.
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    rows = _rows((points - low) / np.where(span > 0, span, 1.0))
    # DEAP shuffles niches with NumPy's global generator. It is seeded here and then restored. The lock keeps a search
    # in another thread from restoring this one's state.
    with _lending:
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002
        try:
            return _indices(tools.selNSGA3(rows, keep, lattice, nd=_sorting(points)))
        finally:
            np.random.set_state(state)  # noqa: NPY002


def _sorting(points: FloatArray) -> str:
    """DEAP's name of its quicker non-dominated sorting; for one objective, its slower one: the quicker fails there."""
    return "log" if points.shape[1] > 1 else "standard"


def _rows(points: FloatArray) -> list[_Row]:
    fitness = type("Minimised", (base.Fitness,), {"weights": (-1.0,) * points.shape[1]})
    return [_Row(i, fitness(row)) for i, row in enumerate(points.tolist())]


def _indices(rows: list[_Row]) -> Indices:
    return np.sort(np.array([row.index for row in rows], dtype=np.intp))
