"""The training rows of a generation: on a large table a sample, which grows until it is all rows.

The structures of a few tens of weights show on a few thousand rows whether they are good, so early generations need not
train on more. Which rows these are follows from the seed and the generation alone, not from the length of the search.
Errors are of all validation rows in every generation, and the judgement and the refit use all training rows.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.engine.evaluate import Problem

FIRST_ROWS = 2000  # of a fold in the first generation
DOUBLING = 8  # generations, in which the sample doubles
LEAST_OF_CLASS = 100  # rows of the rarest class to expect in the first sample
STREAM = 2**31 + 33  # of the samples


def first_rows(targets: NDArray, classes: int) -> int:
    """The size of the first sample: ``FIRST_ROWS``, or enough for the rarest class; ``classes`` is 0 for numbers."""
    if not classes:
        return FIRST_ROWS
    counts = np.bincount(targets, minlength=classes)
    return max(FIRST_ROWS, LEAST_OF_CLASS * len(targets) // int(counts[counts > 0].min()))


def rows_at(first: int, generation: int) -> int:
    """The size of the sample of a fold, in whole numbers: straight lines between the powers of two."""
    doublings, part = divmod(generation, DOUBLING)
    return (first << min(doublings, 40)) * (DOUBLING + part) // DOUBLING


def sampled(problem: Problem, generation: int) -> Problem:
    """The problem with the training rows of a generation; each sample holds the ones before it.

    Rows of weight 0 teach nothing, and are not drawn.
    """
    if generation >= first_with_all(problem):
        return problem
    count, counted = rows_at(problem.first_rows, generation), problem.data.weight > 0
    return replace(
        problem,
        folds=tuple(
            (np.random.default_rng((problem.seed, STREAM, k)).permutation(fit[counted[fit]])[:count], held)
            for k, (fit, held) in enumerate(problem.folds)
        ),
    )


def rows_of(problem: Problem, generation: int) -> int:
    """The training rows of all folds in a generation."""
    most = rows_at(problem.first_rows, generation) if problem.first_rows else math.inf
    return int(sum(min(len(fit), most) for fit, _ in problem.folds))


def rows_trained(problem: Problem, generations: int) -> int:
    """The training rows of all folds, added up over the first generations."""
    growing = min(generations, first_with_all(problem))
    later = sum(len(fit) for fit, _ in problem.folds) * (generations - growing)
    return sum(rows_of(problem, generation) for generation in range(growing)) + later


def first_with_all(problem: Problem) -> int:
    """The first generation that trains on all rows."""
    most, generation = max(len(fit) for fit, _ in problem.folds), 0
    while problem.first_rows and rows_at(problem.first_rows, generation) < most:
        generation += 1
    return generation


def told_rows(problem: Problem) -> list[str]:
    """A line about the samples, if there are any."""
    rows, last = max(len(fit) for fit, _ in problem.folds), first_with_all(problem)
    if not last:
        return []
    first = f"{problem.first_rows:,} of {rows:,} rows"
    return [f"the first trees train on {first} of a fold, those of generation {last} on all"]
