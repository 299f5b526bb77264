"""Many classifiers in integers, laid end to end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.output_terms import read_costs
from neuraltree.compress.int8.integer_tree import IntegerTree, input_range, middle_of
from neuraltree.compress.int8.integers import Integers
from neuraltree.tree.nodes import IntArray, Nodes


class IntegerForest(NamedTuple):
    """Classifiers in integers, laid end to end without their dead edges: tree ``i`` is ``nodes[starts[i]:starts[i +
    1]]``. ``multiplier``, ``shift`` (trees, outputs): from sums to scores, see ``OutputStage``; ``reach`` (features,):
    the ranges of the standardised inputs, about ``middle``; ``input_cost`` (features,): see
    ``output_terms.read_costs``; ``threshold``: of a single score."""

    nodes: Nodes
    starts: IntArray
    numbers: Integers
    multiplier: IntArray
    shift: IntArray
    reach: FloatArray
    middle: FloatArray
    input_cost: IntArray
    threshold: int = 0

    @classmethod
    def of_tree(cls, tree: IntegerTree) -> IntegerForest:
        """A forest of one tree."""
        stage, one = tree.outputs, np.ones((1, 1), dtype=np.int64)
        cost = np.zeros(len(tree.source.features), dtype=np.int64)
        cost[tree.inputs.features] = read_costs(tree.inputs)
        return cls(
            tree.nodes,
            np.array([0, len(tree.nodes)]),
            tree.numbers,
            one if stage.multiplier is None else stage.multiplier[None],
            one if stage.shift is None else stage.shift[None],
            input_range(tree.source),
            middle_of(tree.source),
            cost,
            tree.score_threshold,
        )

    def part(self, first: int, last: int) -> IntegerForest:
        """The trees from ``first`` to before ``last``."""
        own = slice(int(self.starts[first]), int(self.starts[last]))
        return self._replace(
            nodes=self.nodes[own],
            starts=self.starts[first : last + 1] - self.starts[first],
            numbers=Integers._make(part[own] for part in self.numbers),
            multiplier=self.multiplier[first:last],
            shift=self.shift[first:last],
        )
