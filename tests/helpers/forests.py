"""Populations packed for the engine, and the engines themselves, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.engine.forest import Packed, load_params, pack, store_params
from neuraltree.engine.training import Course, Data, Fitted, Settings, make_course, make_data
from neuraltree.tree.generate import varied_tree
from neuraltree.tree.nodes import Nodes, join, node_dtype
from neuraltree.tree.space import Space

SPACE = Space(4, 1, NAMES, max_nodes=24)
MANY = Space(4, 3, NAMES, max_nodes=30)
PLAIN = Settings("squared", "sgd", 0.1, "constant", 64, "float64")


def population(count: int, seed: int = 0, space: Space = SPACE, folds: int = 1) -> list[Nodes]:
    """Trees whose weights and biases differ in every fold, so that a mix-up shows."""
    rng = np.random.default_rng(seed)
    trees = [varied_tree(rng, space, folds=folds) for _ in range(count)]
    for tree in trees:
        tree["weight"] = rng.normal(size=tree["weight"].shape) * (tree["depth"] > 0)[:, None]
        tree["bias"] = rng.normal(size=tree["bias"].shape) * (tree["op"] < 0)[:, None]
    return trees


def record(rows: Sequence[tuple[int, int, float, float]]) -> Nodes:
    """A node record from (depth, op, weight, bias)."""
    return np.array([(depth, op, [weight], [bias]) for depth, op, weight, bias in rows], dtype=node_dtype())


class Case:
    """A population as a forest, and its data."""

    def __init__(
        self,
        trees: Sequence[Nodes],
        x: np.ndarray,
        y: np.ndarray,
        settings: Settings = PLAIN,
        weight: np.ndarray | None = None,
    ) -> None:
        self.nodes, self.starts = join(list(trees))
        self.packed: Packed = pack(self.nodes, self.starts, x.shape[1])
        self.forest, self.settings, self.count = self.packed.forest, settings, len(trees)
        self.params = load_params(self.packed, self.nodes, settings.precision)[0]
        self.data: Data = make_data(x, y, weight, settings.precision)

    def course(
        self,
        epochs: int,
        fit_rows: Sequence[int] | np.ndarray | None = None,
        validation_rows: Sequence[int] | np.ndarray = (),
        patience: int = 0,
        seed: int = 0,
    ) -> Course:
        rows = np.arange(len(self.data.weight)) if fit_rows is None else np.array(fit_rows)
        held = np.array(validation_rows, dtype=np.int64)
        return make_course(self.settings, rows, held, epochs=epochs, patience=patience, seed=seed)

    def fit(
        self, engine: Any, epochs: int, limit: Any = None, l1: Any = None, group_l1: Any = None, **course: Any
    ) -> Fitted:
        """Train from the trees' own weights; ``course`` are the arguments of ``Case.course``."""
        rates = {"l1": l1, "group_l1": group_l1}
        shrinking = {name: np.array(each, np.float64) for name, each in rates.items() if each is not None}
        limit = np.full(self.count, epochs) if limit is None else np.array(limit)
        planned = self.course(epochs, **course)
        given = self.forest, self.settings, self.data, planned, self.params, limit
        return engine.train(*given, **shrinking, losses=True)

    def outputs(self, engine: Any, params: np.ndarray | None = None, rows: np.ndarray | None = None) -> np.ndarray:
        """(trees, outputs, rows)"""
        chosen = np.arange(len(self.data.weight)) if rows is None else rows
        params = self.params if params is None else params
        return engine.predict(self.forest, self.settings, self.data, chosen.astype(np.int32), params)

    def trees(self, params: np.ndarray) -> list[Nodes]:
        """The trees with these parameters."""
        return np.split(store_params(self.packed, self.nodes, params[None]), self.starts[1:-1])
