"""The scores of a model under changed inputs: accuracy of classes, R² of numbers; all sizes in standard deviations."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.scoring import score
from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.node_values import scaled_rows
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.robustness import certified, certified_radius, fgsm, noisy, pgd, without_inputs
from neuraltree.robustness.certificate import MOST
from neuraltree.robustness.worst_case import robust_errors
from neuraltree.tasks.metrics import Truth
from neuraltree.tasks.task import make_task
from neuraltree.tree.tree import Tree

NOISE, MISSING, RADII = (0.05, 0.1, 0.2, 0.5, 1.0), (0.1, 0.2, 0.5), (0.05, 0.1, 0.2, 0.5)
REPEATS = 10  # draws of noise and of lost cells
STEPS = 20  # of ``pgd``
STARTS, MORE_STEPS = 5, 40  # of ``looseness``
BEYOND = (1.5, 2, 4)  # times the certified radius, at which a counter-example is looked for
TOLERANCE = 0.5  # of a regression, in standard deviations of the target
COLUMNS = (
    "clean",
    *(f"noise_{sd}" for sd in NOISE),
    *(f"missing_{share}" for share in MISSING),
    *(f"{kind}_{radius}" for kind in ("fgsm", "pgd", "proved") for radius in RADII),
    *("radius", "median_radius"),
)
LOOSE = (*(f"beyond_{by}" for by in BEYOND), "within")


class Rows(NamedTuple):
    """Raw inputs (rows, features), and labels or values of the target (rows,)."""

    X: FloatArray
    y: NDArray


def conditions(model: Tree | IntegerTree, tree: Tree, rows: Rows, seed: int) -> dict[str, float | None]:
    """``COLUMNS`` of a model, which is ``tree`` or its 8-bit code; the attacks follow the derivatives of ``tree``.

    ``proved``: the score that no change within the radius can lower; ``radius``: the mean certified radius.
    """
    rng = np.random.default_rng([seed, 3])

    def scored(X: FloatArray) -> float:
        return score(tree.kind, rows.y, model.predict(X))

    def mean(changed: list[FloatArray]) -> float:
        return float(np.mean([scored(X) for X in changed]))

    found: dict[str, float | None] = {"clean": scored(rows.X)}
    for sd in NOISE:
        found[f"noise_{sd}"] = mean([noisy(tree, rows.X, sd, rng) for _ in range(REPEATS)])
    for share in MISSING:
        found[f"missing_{share}"] = mean([without_inputs(tree, rows.X, share, rng) for _ in range(REPEATS)])
    for radius in RADII:
        found[f"fgsm_{radius}"] = scored(fgsm(tree, rows.X, rows.y, radius))
        found[f"pgd_{radius}"] = scored(pgd(tree, rows.X, rows.y, radius, steps=STEPS))
        found[f"proved_{radius}"] = proved(model, rows, radius)
    radii = certified_radius(model, rows.X, tolerance=_tolerance(tree, rows))
    return found | {"radius": float(radii.mean()), "median_radius": float(np.median(radii))}


def proved(model: Tree | IntegerTree, rows: Rows, radius: float) -> float | None:
    """The score that no change within the radius can lower; None for integers of a regression."""
    if (model.source if isinstance(model, IntegerTree) else model).classes is not None:
        return float(np.mean(certified(model, rows.X, radius) & (model.predict(rows.X) == rows.y)))
    if isinstance(model, IntegerTree):
        return None
    truth = Truth(make_task(model.kind), lesson_of(model, rows.X, rows.y).targets[:, 0])
    return 1.0 - float(robust_errors([model.nodes], truth, scaled_rows(model, rows.X), radius)[0])


def looseness(model: Tree | IntegerTree, tree: Tree, rows: Rows, seed: int) -> dict[str, float | None]:
    """``LOOSE`` of a model: the shares of the rows with a certified radius for which ``pgd`` changes the prediction at
    multiples of that radius, and just inside of it, which must be 0.

    It begins at the row and then, for the rows that it has not changed, at ``STARTS`` random places.
    """
    before, tolerance = model.predict(rows.X), _tolerance(tree, rows)
    radius = certified_radius(model, rows.X, tolerance=tolerance)
    some = np.flatnonzero((radius > 0) & (radius < MOST / max(BEYOND)))
    # A regression is moved away from its own prediction, to either side of which a target is set.
    sides = [before] if tolerance is None else [before - 1e-6 * tolerance, before + 1e-6 * tolerance]

    def changed(by: float) -> float | None:
        left, rng = some, np.random.default_rng([seed, 7])
        for start, target in product((None, *[rng] * STARTS), sides):
            if len(left):
                after = model.predict(
                    pgd(tree, rows.X[left], target[left], by * radius[left], steps=MORE_STEPS, rng=start)
                )
                same = after == before[left] if tolerance is None else np.abs(after - before[left]) <= tolerance
                left = left[same]
        return 1 - len(left) / len(some) if len(some) else None

    return {f"beyond_{by}": changed(by) for by in BEYOND} | {"within": changed(1 - 1e-9)}


def _tolerance(tree: Tree, rows: Rows) -> float | None:
    return None if tree.classes is not None else TOLERANCE * float(np.std(rows.y))
