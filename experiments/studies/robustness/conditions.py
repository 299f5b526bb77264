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
BEYOND = (1.5, 2, 4)  # times the certified radius, at which a counter-example is looked for from two starts
TOLERANCE = 0.5  # of a regression, in standard deviations of the target
COLUMNS = (
    "clean",
    *(f"noise_{sd}" for sd in NOISE),
    *(f"missing_{share}" for share in MISSING),
    *(f"{kind}_{radius}" for kind in ("fgsm", "pgd", "proved") for radius in RADII),
    *("radius", "median_radius", *(f"beyond_{by}" for by in BEYOND), "within"),
)


class Rows(NamedTuple):
    """Raw inputs (rows, features), and labels or values of the target (rows,)."""

    X: FloatArray
    y: NDArray


def conditions(model: Tree | IntegerTree, tree: Tree, rows: Rows, seed: int) -> dict[str, float | None]:
    """``COLUMNS`` of a model, which is ``tree`` or its 8-bit code; the attacks follow the derivatives of ``tree``.

    ``proved``: the score that no change within the radius can lower; ``radius``: the mean certified radius;
    ``beyond_2``: the share of the rows with a certified radius for which ``pgd`` changes the prediction at twice that
    radius, and ``within`` the same just inside of it, which must be 0.
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
    return found | _radii(model, tree, rows, seed)


def proved(model: Tree | IntegerTree, rows: Rows, radius: float) -> float | None:
    """The score that no change within the radius can lower; None for integers of a regression."""
    if (model.source if isinstance(model, IntegerTree) else model).classes is not None:
        return float(np.mean(certified(model, rows.X, radius) & (model.predict(rows.X) == rows.y)))
    if isinstance(model, IntegerTree):
        return None
    truth = Truth(make_task(model.kind), lesson_of(model, rows.X, rows.y).targets[:, 0])
    return 1.0 - float(robust_errors([model.nodes], truth, scaled_rows(model, rows.X), radius)[0])


def _radii(model: Tree | IntegerTree, tree: Tree, rows: Rows, seed: int) -> dict[str, float | None]:
    before = model.predict(rows.X)
    tolerance = None if tree.classes is not None else TOLERANCE * float(np.std(rows.y))
    radius = certified_radius(model, rows.X, tolerance=tolerance)

    def changed(by: float) -> NDArray[np.bool_]:
        # A regression is moved away from its own prediction, to either side of which a target is set.
        sides = [before] if tolerance is None else [before - 1e-6 * tolerance, before + 1e-6 * tolerance]
        found = np.zeros(len(before), dtype=bool)
        for target, start in product(sides, (None, np.random.default_rng([seed, 7]))):
            after = model.predict(pgd(tree, rows.X, target, by * radius, steps=STEPS, rng=start))
            found |= after != before if tolerance is None else np.abs(after - before) > tolerance
        return found

    some = (radius > 0) & (radius < MOST / max(BEYOND))
    found = {f"beyond_{by}": changed(by) for by in BEYOND} | {"within": changed(1 - 1e-9)}
    return {
        "radius": float(radius.mean()),
        "median_radius": float(np.median(radius)),
        **{name: float(part[some].mean()) if some.any() else None for name, part in found.items()},
    }
