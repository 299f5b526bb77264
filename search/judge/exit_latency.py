"""The mean latencies that belong to honest errors: those of the judgement's own weights, on rows these have not seen.

A search with early exits selects weights that stop early. Those of the final model may do so at the price of errors
which the honest error, that of other weights, does not have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.cost import costs_of_counts, integer_counts
from neuraltree.hardware.model.cost_names import MEAN
from neuraltree.hardware.model.exit_cost import Walked, with_exits
from neuraltree.inputs.features import RULES
from neuraltree.tree.nodes import IntArray, Nodes, join
from search.engine.evaluate import Problem, walks_of_fold
from search.engine.integer_scores import Ranges, row_codes
from search.table.data import Table


def rules_of_table(problem: Problem, table: Table) -> IntArray:
    """(features,) as ``cost.rules_of``, -1 for features that the code takes as integers."""
    if table.columns is None:
        return np.full(problem.space.n_features, -1)
    names, kinds = tuple(RULES), problem.inputs.kinds
    rules = np.array([names.index(feature.rule) for column in table.columns for feature in column.features])
    return rules if kinds is None else np.where(kinds < 0, rules, -1)


def mean_latencies(
    problem: Problem, rules: IntArray, trees: Sequence[Nodes], ranges: Sequence[Ranges], thresholds: Sequence[float]
) -> FloatArray:
    """(trees,) seconds, the mean over the validation rows of all folds, each with the weights of its fold.

    ``rules``: see ``rules_of_table``; ``ranges`` and ``thresholds``: of each tree.
    """
    rows = [len(held) for _, held in problem.folds]
    found = [_of_fold(problem, rules, trees, ranges, thresholds, k) for k in range(len(rows))]
    return np.average(found, axis=0, weights=rows)


def _of_fold(
    problem: Problem,
    rules: IntArray,
    trees: Sequence[Nodes],
    ranges: Sequence[Ranges],
    thresholds: Sequence[float],
    fold: int,
) -> FloatArray:
    device, kind, walked = problem.device, problem.task.kind, list[Walked]()
    assert device is not None
    kinds = np.full(len(rules), -1) if problem.inputs.kinds is None else problem.inputs.kinds
    for nodes, own, threshold in zip(trees, ranges, thresholds, strict=True):
        codes = row_codes(problem, problem.folds[fold][1], own)
        walks = walks_of_fold(problem, [nodes], codes, fold, own, threshold)
        walked += [Walked(walk, rules, kinds) for walk in walks]
    counts = integer_counts(*join([each.walk.nodes for each in walked]), rules, kinds)
    plain = costs_of_counts(counts, device, *problem.code, kind=kind)
    return with_exits(plain, walked, device, problem.code, kind=kind)[MEAN]
