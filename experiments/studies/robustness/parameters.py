"""Trees that lose parameters: edges one by one, those that a filter of their sizes takes, and bits of 8-bit weights.

After Pravin, Martino, Nicosia and Ojha (2024), "Fragility, robustness and antifragility in deep learning": a parameter
is fragile if the score falls without it, robust if it stays, and antifragile if it rises, on clean rows and on rows
under attack. A filter takes the parameters of some sizes |weight| / largest |weight|: a high-pass filter keeps the
large ones, a low-pass filter the small ones, a pulse takes those about the median.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from experiments.common.scoring import score
from experiments.frame.experiment import Row
from experiments.studies.robustness.conditions import Rows
from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.robustness import fgsm
from neuraltree.tree.nodes import IntArray
from neuraltree.tree.tree import Tree

RADIUS = 0.1  # of the attack on the whole tree
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
FLIPS, DRAWS = (0, 1, 3, 10), 20  # bits of a tree, and draws of them
EDGES, BITS = "edges", "bit flips"
COLUMNS = (
    "removed",
    "attacked",
    *(f"{kind}_{at}" for at in ("clean", "attacked") for kind in ("fragile", "robust", "antifragile")),
)

# The places, of sizes in rising order, in the order in which a filter takes them.
FILTERS: dict[str, Callable[[int, np.random.Generator], IntArray]] = {
    "high-pass": lambda count, rng: np.arange(count),
    "low-pass": lambda count, rng: np.arange(count)[::-1],
    "pulse": lambda count, rng: np.argsort(np.abs(np.arange(count) - (count - 1) / 2), kind="stable"),
    "random": lambda count, rng: rng.permutation(count),
}


def lost_parameters(tree: Tree, model: IntegerTree, rows: Rows, seed: int) -> Iterator[Row]:
    """A row for the edges, one for each filter and share, and one for each number of flipped bits."""
    both = rows, Rows(fgsm(tree, rows.X, rows.y, RADIUS), rows.y)
    yield _edges(tree, both)
    rng = np.random.default_rng([seed, 6])
    below = np.flatnonzero(tree.nodes["depth"] > 0)
    rising = below[np.argsort(np.abs(tree.nodes["weight"][below, 0]), kind="stable")]
    for name, order in FILTERS.items():
        taken = rising[order(len(rising), rng)]
        for share in SHARES:
            left = without(tree, taken[: round(share * len(taken))])
            yield {"model": name, "removed": share} | _scores(left.predict, tree.kind, both)
    for flips in FLIPS:
        found = [_scores(flipped(model, flips, rng).predict, tree.kind, both) for _ in range(DRAWS)]
        yield {"model": BITS, "removed": flips} | {
            key: float(np.mean([each[key] for each in found])) for key in found[0]
        }


def without(tree: Tree, edges: NDArray[np.integer]) -> Tree:
    """The tree whose edges above these nodes are 0."""
    nodes = tree.nodes.copy()
    nodes["weight"][edges] = 0.0
    return replace(tree, nodes=nodes)


def flipped(model: IntegerTree, flips: int, rng: np.random.Generator) -> IntegerTree:
    """The model with so many flipped bits in its 8-bit weights, each in another bit."""
    below = np.flatnonzero(model.nodes["depth"] > 0)
    chosen = rng.choice(8 * len(below), min(flips, 8 * len(below)), replace=False)
    weight = model.numbers.weight.astype(np.int8)
    for bit in chosen.tolist():
        weight.view(np.uint8)[below[bit // 8]] ^= np.uint8(1 << bit % 8)
    return replace(model, numbers=model.numbers._replace(weight=weight.astype(np.int64)))


def _scores(predict: Callable[[FloatArray], NDArray], kind: str, both: tuple[Rows, Rows]) -> Row:
    clean, attacked = (score(kind, rows.y, predict(rows.X)) for rows in both)
    return {"clean": clean, "attacked": attacked}


def _edges(tree: Tree, both: tuple[Rows, Rows]) -> Row:
    """The shares of edges without which the scores fall, stay and rise."""
    whole = _scores(tree.predict, tree.kind, both)
    below = np.flatnonzero(tree.nodes["depth"] > 0)
    each = [_scores(without(tree, np.array([i])).predict, tree.kind, both) for i in below.tolist()]
    row: Row = {"model": EDGES} | whole
    for at in ("clean", "attacked"):
        change = np.array([found[at] - whole[at] for found in each])
        parts = {"fragile": change < 0, "robust": change == 0, "antifragile": change > 0}
        row |= {f"{kind}_{at}": float(part.mean()) for kind, part in parts.items()}
    return row
