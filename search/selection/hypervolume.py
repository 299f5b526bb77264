"""Exact hypervolume, and exact removal of the points that contribute least to it. Every objective is minimised.

The contribution of a point is the volume that only it dominates. It is 0 for a point that equals another, is dominated,
or lies on or beyond the reference point. Among equal contributions the highest index is removed first, so of equal
points the one with the lowest index is removed last.
"""

from __future__ import annotations

import heapq

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray

Indices = NDArray[np.intp]


def finite_rows(points: ArrayLike) -> FloatArray:
    """`points` as float64 (points, objectives); ValueError for any other shape and for a row that is not finite."""
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"expected an array (points, objectives), got shape {array.shape}")
    # moocore leaves out such rows silently, and in DEAP nothing dominates a NaN.
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise ValueError(f"objectives must be finite, but row {bad[0]} is {array[bad[0]].tolist()}")
    return array


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Volume that `points` (points, objectives) dominate up to `reference` (objectives,).

    Its unit is the product of the objectives' units.
    """
    array, bound = _checked(points, reference)
    return float(moocore.hypervolume(np.minimum(array, bound), ref=bound))


def truncate(points: ArrayLike, reference: ArrayLike, keep: int) -> Indices:
    """Ascending indices of the `keep` points that remain if the least contributor is removed again and again.

    This is the greedy removal of SMS-EMOA (Beume, Naujoks, Emmerich 2007, https://doi.org/10.1016/j.ejor.2006.08.008).
    Contributions are exact but for rounding: rounding can decide between contributions that are equal or nearly so.
    """
    array, bound = _checked(points, reference)
    if keep < 0:
        raise ValueError(f"cannot keep {keep} points: keep must be 0 or more")
    alive = _contributors(array, bound)
    # If a point that contributes nothing is removed, no other contribution grows but that of its last equal. So such
    # points are removed first.
    idle = np.flatnonzero(~alive)
    alive[idle[: max(keep - np.count_nonzero(alive), 0)]] = True
    members = np.flatnonzero(alive)
    return members[_greedy(array[members], bound, keep)] if len(members) > keep else members


def _checked(points: ArrayLike, reference: ArrayLike) -> tuple[FloatArray, FloatArray]:
    array, bound = finite_rows(points), np.asarray(reference, dtype=np.float64)
    if bound.shape != array.shape[1:] or not np.isfinite(bound).all():
        raise ValueError(f"expected {array.shape[1]} finite reference values, got {bound.tolist()}")
    return array, bound


def _contributors(points: FloatArray, reference: FloatArray) -> NDArray[np.bool_]:
    """Mask of the non-dominated points inside the reference, the first of equal ones; the others add no volume."""
    inside = np.flatnonzero((points < reference).all(axis=1))
    mask = np.zeros(len(points), dtype=np.bool_)
    mask[inside[moocore.is_nondominated(points[inside])]] = True
    return mask


def _greedy(points: FloatArray, reference: FloatArray, keep: int) -> Indices:
    """Ascending indices of the `keep` survivors among distinct, mutually non-dominated points inside `reference`.

    Contributions only grow as points are removed, so the contributions in the heap are lower bounds of the present
    ones. The point with the lowest is removed if no point that touches its box was removed since it was computed;
    otherwise its contribution is computed again.
    """
    columns = np.ascontiguousarray(points.T)
    corners = np.empty_like(points)
    heap = []
    for i in range(len(points)):
        volume, corners[i] = _contribution(columns, reference, i)
        heap.append((volume, -i))
    heapq.heapify(heap)
    stale = np.zeros(len(points), dtype=np.bool_)
    while len(heap) > keep:
        i = -heap[0][1]
        if stale[i]:
            volume, corners[i] = _contribution(columns, reference, i)
            heapq.heapreplace(heap, (volume, -i))
            stale[i] = False
        else:
            heapq.heappop(heap)
            # Only a point in the closed box of i can share with i a volume that no third point dominates.
            stale |= (columns <= corners[i][:, None]).all(axis=0)
            columns[:, i] = reference  # at the reference it dominates nothing, as if deleted
    return np.sort(np.array([-index for _, index in heap], dtype=np.intp))


def _contribution(columns: FloatArray, reference: FloatArray, i: int) -> tuple[float, FloatArray]:
    """Volume that only point i of `columns` (objectives, points) dominates, and the upper corner of a box around it.

    A point that is worse than i in objective j alone dominates all that i dominates beyond that point's value of j. So
    the least such value bounds the box in j. In the box i dominates everything; the others dominate the volume that
    they dominate when moved onto its walls, which is subtracted. The box is so much smaller than the box up to
    `reference` that few points reach into it and few digits cancel.
    """
    point = columns[:, i : i + 1]
    worse = columns > point
    corner = np.where(worse & (worse.sum(axis=0) == 1), columns, reference[:, None]).min(axis=1)
    within = (columns < corner[:, None]).all(axis=0)
    within[i] = False
    volume = float(np.prod(corner - point[:, 0]))
    if within.any():
        volume -= moocore.hypervolume(np.maximum(columns[:, within], point).T, ref=corner)
    return volume, corner
