"""How many nodes exact reduction and entropy 0 remove: ``python -m benchmarks.run exact``.

For every front of a short search, with all activations and with ReLU and identity alone, and for random trees of ReLUs
that nobody trained: the share of nodes that ``reduced`` removes for all inputs and between the ends of the training
rows, the share that ``without_fixed_nodes`` removes by the training rows, and the entropies of hidden nodes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from experiments.common.paper_tables import REGRESSION, table
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.compress import ends_everywhere, ends_of_rows, node_states, reduced, without_fixed_nodes
from neuraltree.tree.generate import random_tree
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from search.evolution import Evolution

TABLES = ("pima", "wdbc", "vehicle", "friedman", "mpg6")
SPACES = {"all": ("sigmoid", "tanh", "gaussian", "relu"), "ReLU": ("relu", "identity")}
RANDOM_TREES = 200
COLUMNS = ("trees", "nodes", "- all inputs", "- rows' ranges", "- entropy 0", "hidden", "entropy 0 %", "least", "mean")


def fronts(name: str, activations: Sequence[str], population: int, generations: int) -> tuple[list[Tree], NDArray]:
    """The front of one search on all rows of a table, and the rows."""
    rows = table(name)
    made = NeuralTreeRegressor if name in REGRESSION else NeuralTreeClassifier
    search = Evolution(population=population, generations=generations)
    model = made(search, activations=tuple(activations), random_state=0).fit(rows.X, rows.y)
    return [member.tree() for member in model.front_], rows.X


def random_relus() -> tuple[list[Tree], NDArray]:
    """Untrained trees of ReLUs of up to 120 nodes over ten normal inputs."""
    rng = np.random.default_rng(0)
    X, space = rng.normal(size=(500, 10)), Space(10, 1, ("relu",), max_nodes=120, max_depth=6)
    names = tuple(f"x{i}" for i in range(10))
    return [Tree(random_tree(rng, space), "regression", names, None, Scaler.fit(X)) for _ in range(RANDOM_TREES)], X


def removed(trees: list[Tree], X: NDArray) -> list[float]:
    """The row of ``COLUMNS``."""
    nodes = sum(tree.num_nodes for tree in trees)
    ways = (
        [reduced(tree, ends_everywhere(tree)) for tree in trees],
        [reduced(tree, ends_of_rows(tree, X)) for tree in trees],
        [without_fixed_nodes(tree, X) for tree in trees],
    )
    left = [sum(tree.num_nodes for tree in way) for way in ways]
    hidden = [node_states(tree, X).entropy[(tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)] for tree in trees]
    entropy = np.concatenate(hidden)
    figures = [100 * (entropy == 0).mean(), entropy.min(), entropy.mean()] if len(entropy) else [np.nan] * 3
    return [len(trees), nodes, *(100 * (1 - part / nodes) for part in left), len(entropy), *figures]


def rows(population: int, generations: int) -> Iterator[tuple[str, list[float]]]:
    yield "random ReLU trees", removed(*random_relus())
    for space, activations in SPACES.items():
        for name in TABLES:
            yield f"{name}, {space}", removed(*fronts(name, activations, population, generations))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--population", type=int, default=60)
    parser.add_argument("--generations", type=int, default=14)
    arguments = parser.parse_args()
    shown = Table("", *COLUMNS, title="nodes removed, in %; entropies in bits")
    for name, figures in rows(arguments.population, arguments.generations):
        shown.add_row(name, *(f"{figure:.3g}" if figure % 1 else f"{figure:.0f}" for figure in figures))
    Console(width=140).print(shown)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
