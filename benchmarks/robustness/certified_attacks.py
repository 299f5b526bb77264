"""Whether any attack within its certified radius changes the prediction of a row: none may.

``python -m benchmarks.run certificates`` needs the papers' tables. A random tree of each table, trained on the training
rows of a hold-out, and its 8-bit code are attacked at the test rows: at random corners and edges of the box within
which the prediction is certified, anywhere in it, at the ends of PGD from random starts, and 8-bit code at random
corners of the box of its integers. A regression may move by half a standard deviation of its target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.compression.over_tables import over_tables
from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.studies.pruning.run import grown
from neuraltree.cli.markdown import table as markdown
from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.int8.clipping import fit_ranges
from neuraltree.compress.int8.integer_tree import scaler_of
from neuraltree.robustness import certified_radius, pgd
from neuraltree.robustness.integer_intervals import integer_input_ends
from neuraltree.tasks.links import class_codes
from neuraltree.tree.tree import Tree

NAME, WEIGHTS = "certificates", 120
ATTACKS = 100_000  # of a model
BLOCK = 4096  # attacks made at once
TOLERANCE = 0.5  # standard deviations of the target
INSIDE = 1 - 1e-9  # of the radius: an attacked row is a rounded number too
STEPS = 10
ABOUT = (
    "Random trees of about {weights} weights of the papers' tables and their 8-bit code, {attacks:,} attacks each on "
    "test rows, within the radius in which `certified_radius` proves that the prediction stays the same (of a "
    "regression: within {tolerance} standard deviations of the target). **{found} of {all:,} attacks are "
    "counter-examples**, in {models} models."
)


def errors_of(name: str, seed: int) -> list[dict[str, Any]]:
    """A row for the tree of a table and hold-out, and one for its 8-bit code."""
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    tree = grown(table, train, seed, WEIGHTS)
    integers = quantize_tree(fit_ranges(tree, table.X[train]))
    tolerance = None if table.classes is not None else TOLERANCE * float(np.std(table.labels[train]))
    about = {"table": name, "seed": seed, "weights": tree.num_weights}
    return [
        about | {"model": label} | attacked(model, tree, table.X[test], tolerance, ATTACKS, seed)
        for label, model in (("float", tree), ("int8", integers))
    ]


class _Attacked(NamedTuple):
    """A model, the tree whose derivatives lead the attacks, raw rows, their radii, and how a prediction may change."""

    model: Tree | IntegerTree
    tree: Tree
    X: NDArray
    radius: NDArray
    tolerance: float | None

    def repeated(self, times: int) -> _Attacked:
        return self._replace(X=np.tile(self.X, (times, 1)), radius=np.tile(self.radius, times))

    def moved(self, way: NDArray) -> NDArray:
        """The predictions after moves of (rows, features) times the radius."""
        return self.model.predict(self.X + way * self.radius[:, None] * scaler_of(self.tree).scale)

    def changes(self, after: NDArray) -> int:
        before = self.model.predict(self.X)
        moved = after != before if self.tolerance is None else np.abs(after - before) > self.tolerance * (1 + 1e-12)
        return int(np.count_nonzero(moved))


def attacked(
    model: Tree | IntegerTree, tree: Tree, X: NDArray, tolerance: float | None, attacks: int, seed: int
) -> dict[str, Any]:
    """The attacks made on a model, which is ``tree`` or its 8-bit code, those that succeeded, and the mean radius."""
    rng = np.random.default_rng([seed, 8])
    radius = certified_radius(model, X, tolerance=tolerance)
    rows = _Attacked(model, tree, X, INSIDE * radius, tolerance)
    at_once = max(1, BLOCK // len(X))
    found, made = dict.fromkeys(ATTACKING, 0), 0
    for name, (share, attack) in ATTACKING.items():
        left = -(-round(share * attacks) // len(X))
        while left > 0:
            part = rows.repeated(min(left, at_once))
            found[name] += part.changes(attack(part, rng))
            left, made = left - at_once, made + len(part.X)
    return {"rows": len(X), "radius": float(radius.mean()), "attacks": made, **found}


def _corners(rows: _Attacked, rng: np.random.Generator) -> NDArray:
    return rows.moved(rng.choice([-1.0, 1.0], size=rows.X.shape))


def _between(rows: _Attacked, rng: np.random.Generator) -> NDArray:
    return rows.moved(rng.uniform(-1.0, 1.0, size=rows.X.shape))


def _by_pgd(rows: _Attacked, rng: np.random.Generator) -> NDArray:
    """Of a regression away from a target that lies a little to either side of the prediction."""
    target = rows.model.predict(rows.X)
    if rows.tolerance is not None:
        target = target + 1e-6 * rows.tolerance * rng.choice([-1.0, 1.0], size=len(target))
    return rows.model.predict(pgd(rows.tree, rows.X, target, rows.radius, steps=STEPS, rng=rng))


def _integer_corners(rows: _Attacked, rng: np.random.Generator) -> NDArray:
    """At random corners of the boxes of integers; of floats at the middles of edges."""
    if not isinstance(rows.model, IntegerTree):
        return rows.moved(rng.choice([-1.0, 0.0, 1.0], size=rows.X.shape))
    model, (low, high) = rows.model, integer_input_ends(rows.model, rows.X, rows.radius)
    scores = model.scores(np.where(rng.integers(0, 2, size=low.shape), low, high).T.astype(np.int8))
    if model.source.classes is None:
        return model.outputs.values(scores[:, 0])
    return np.array(model.source.classes)[class_codes(scores, model.score_threshold)]


# By name the share of the attacks, and the predictions after one attack of each row.
ATTACKING: dict[str, tuple[float, Callable[[_Attacked, np.random.Generator], NDArray]]] = {
    "corners": (0.3, _corners),
    "between": (0.1, _between),
    "edges": (0.2, _integer_corners),
    "pgd": (0.4, _by_pgd),
}


def page(result: dict[str, Any]) -> str:
    rows = result["rows"]
    found = sum(row[name] for row in rows for name in ATTACKING)
    about = ABOUT.format(
        weights=WEIGHTS,
        attacks=ATTACKS,
        tolerance=TOLERANCE,
        found=found,
        all=sum(row["attacks"] for row in rows),
        models=len(rows),
    )
    lines = [
        [
            f"{row['table']}, {row['model']}",
            str(row["weights"]),
            str(row["rows"]),
            f"{row['radius']:.3f}",
            f"{row['attacks']:,}",
            str(sum(row[name] for name in ATTACKING)),
        ]
        for row in rows
    ]
    header = ("model", "weights", "rows", "mean radius", "attacks", "counter-examples")
    return f"# Certificates under attack\n\nMade by `{result['command']}`. {about}\n\n{markdown(header, lines)}\n"


def main() -> None:
    over_tables(NAME, __doc__, 1, errors_of, page)


if __name__ == "__main__":
    main()
