"""The last step of a search: its finalists lose edges step by step, and what nothing dominates joins the front.

Evolution removes edges at random places; here each edge is tried by what the loss rises by without it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.pruning.criteria import CRITERIA
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.compress.pruning.path import cut_once
from neuraltree.tree.simplify import simplify_all
from search.engine.evaluate import Problem, costs, evaluate
from search.engine.evolution_step import Strategy, front_of
from search.engine.population import Members, best_of_each_structure, merge, objectives, violation
from search.selection.survivors import ranks
from search.variation.genes import genes_of

STEPS, SHRINK = 4, 0.8  # cuts of each finalist, and the share of its nodes that one leaves
# By criterion: what the end of a run takes, in times of an end without cuts; `benchmarks.run cutting` measures it.
END_TAKES = {"none": 1.0, "taylor": 2.0, "line": 2.0, "ablation": 8.0}
COSTLY = 10  # the most trees that break a constraint
SAMPLE = 300  # rows of each fold that rank the edges
STREAM = 2**31 + 128  # of the shuffles; one more for each step


def with_cuts(
    problem: Problem, strategy: Strategy, front: Members, population: Members, criterion: str, evaluations: int
) -> Members:
    """The front of its members and of the trees cut out of them, which are trained and scored as in a generation.

    Members of the ``population`` that are better, but break a constraint, are cut as well, until they may keep it.
    ``criterion``: a key of ``CRITERIA``. The ids of new members go on from ``evaluations``.
    """
    row, lessons = CRITERIA[criterion], [_lesson(problem, fit) for fit, _ in problem.folds]
    begun = merge([front, _too_costly(strategy, front, population)])
    parts, trees, genes = [front], begun.trees, genes_of(begun.columns)
    for step in range(STEPS):
        trees = simplify_all([cut_once(tree, lessons, row, round(SHRINK * len(tree))) for tree in trees])
        result = evaluate(problem, trees, STREAM + step, genes)
        columns, trees = result.columns | costs(problem, result.trees, genes) | dict(genes), result.trees
        ids = evaluations + step * len(trees) + np.arange(len(trees))
        parts.append(Members(trees, ids, {name: columns[name] for name in front.columns}, result.ok))
    return _best(merge(parts), strategy)


def _too_costly(strategy: Strategy, front: Members, population: Members) -> Members:
    """The members that break a constraint and have less error than all that keep it, at most ``COSTLY`` of them."""
    error = population.columns["val_error"]
    least = front.columns["val_error"].min() if front.trees else np.inf
    broken = (violation(population, strategy.bounds) > 0) & population.ok & (error < least)
    found = np.flatnonzero(broken)
    return population.take(found[np.argsort(error[found], kind="stable")][:COSTLY])


def _best(members: Members, strategy: Strategy) -> Members:
    """The front, of the best tree of each structure."""
    order = np.lexsort((members.ids, members.columns["val_error"]))
    members = members.take(best_of_each_structure(members, order))
    points = objectives(members, strategy.objectives, strategy.reference)
    excess = violation(members, strategy.bounds)
    return members.take(front_of(members, points, ranks(points, excess), excess))


def _lesson(problem: Problem, fit: NDArray) -> Lesson:
    data = problem.data
    inputs, targets, weight = (part[fit].astype(np.float64) for part in (data.inputs, data.targets, data.weight))
    return Lesson(inputs, targets, weight / weight.mean(), problem.settings.loss).sample(SAMPLE)
