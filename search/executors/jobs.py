"""The kinds of work that workers do, a row each in ``JOBS``: from trees and a few numbers to arrays.

A result depends on its chunk and the run alone, not on where, when or how often it is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from neuraltree.engine.training import Course
from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import Problem, courses_of, edge_slopes, evaluate, trained, with_costs
from search.engine.problem import Setup
from search.engine.row_samples import sampled
from search.executors.wire import Arrays, WireError, pack, unpack
from search.folder.tree_arrays import (
    columns_from_arrays,
    columns_to_arrays,
    named,
    trees_from_arrays,
    trees_to_arrays,
)
from search.judge.honest import STREAM, judging_folds
from search.table.data import Table
from search.variation.genes import Genes

GENE = "gene "
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Context:
    """A run as its workers know it. ``lesson``: the run of the judgement, if it learns from teachers."""

    setup: Setup
    table: Table
    lesson: Setup | None
    _last: dict[tuple[str, int], Any] = field(default_factory=dict, init=False)

    def searching(self, generation: int) -> tuple[Problem, list[Course]]:
        """The problem with the rows of a generation, and their order in its training."""

        def pose() -> tuple[Problem, list[Course]]:
            problem = sampled(self.setup.problem, generation)
            return problem, courses_of(problem, generation)

        return self._once(("generation", generation), pose)

    def judging(self, repeat: int) -> Problem:
        """The problem of a repeat of the judgement."""
        if self.lesson:
            return self.lesson.problem
        return self._once(
            ("repeat", repeat),
            lambda: replace(self.setup.problem, folds=judging_folds(self.setup, self.table, repeat)),
        )

    def _once(self, key: tuple[str, int], make: Callable[[], T]) -> T:
        """Chunks come in rows of the same problem, whose rows take longer to draw than a small chunk to compute."""
        found: T | None = self._last.get(key)
        if found is None:
            found = make()
            self._last.clear()
            self._last[key] = found
        return found


class Chunk(NamedTuple):
    """Trees, their genes, and what is to be done with them: a name of ``JOBS`` and its numbers."""

    job: str
    numbers: Mapping[str, Any]
    trees: list[Nodes]
    genes: Genes

    def part(self, first: int, last: int) -> Chunk:
        """The trees from ``first`` to before ``last``, as a chunk of their own."""
        genes = {name: values[first:last] for name, values in self.genes.items()}
        return self._replace(trees=self.trees[first:last], genes=genes)

    def message(self) -> bytes:
        genes = {GENE + name: values for name, values in self.genes.items()}
        return pack({"job": self.job, **self.numbers}, {**trees_to_arrays(self.trees), **genes})


def chunk_of(message: bytes) -> Chunk:
    """The chunk in a message; ``WireError`` if there is none."""
    numbers, arrays = unpack(message)
    job = numbers.pop("job", None)
    if job not in JOBS:
        raise WireError(f"no work of a search: {job!r}; allowed: {', '.join(JOBS)}")
    try:
        trees = trees_from_arrays(arrays)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise WireError(f"the trees are damaged: {error!r}") from None
    return Chunk(str(job), numbers, trees, named(arrays, GENE))


def fits(chunk: Chunk, result: Arrays) -> bool:
    """Whether arrays can be the result of a chunk: right ones are, and damaged ones are not."""
    try:
        return JOBS[chunk.job].fits(chunk, result)
    except (KeyError, IndexError, TypeError, ValueError):
        return False


def run_chunk(context: Context, chunk: Chunk) -> Arrays:
    """The result of a chunk."""
    return JOBS[chunk.job].run(context, chunk)


def _evaluated(context: Context, chunk: Chunk) -> Arrays:
    generation = chunk.numbers["generation"]
    problem, courses = context.searching(generation)
    found = evaluate(problem, chunk.trees, generation, chunk.genes, courses)
    columns = with_costs(problem, found, chunk.genes).columns
    return trees_to_arrays(found.trees) | {"ok": found.ok} | columns_to_arrays(columns)


def _slopes(context: Context, chunk: Chunk) -> Arrays:
    problem, _ = context.searching(chunk.numbers["generation"])
    return {"slopes": np.concatenate(edge_slopes(problem, chunk.trees))}


def _judged(context: Context, chunk: Chunk) -> Arrays:
    repeat, epochs, faster = (chunk.numbers[name] for name in ("repeat", "epochs", "faster"))
    problem = context.judging(repeat)
    fitted = trained(problem, chunk.trees, STREAM + repeat, epochs=epochs, faster=faster, genes=chunk.genes)
    return trees_to_arrays(fitted)


def _has_trees(chunk: Chunk, found: Arrays) -> bool:
    """Whether there is a tree for each, and a value for each in all other arrays."""
    others = [values for name, values in found.items() if name not in ("nodes", "starts")]
    count = len(chunk.trees)
    return len(trees_from_arrays(found)) == count and all(values.shape == (count,) for values in others)


def _has_scores(chunk: Chunk, found: Arrays) -> bool:
    return _has_trees(chunk, found) and "ok" in found and "val_error" in columns_from_arrays(found)


def _has_slopes(chunk: Chunk, found: Arrays) -> bool:
    return len(found["slopes"]) == sum(len(tree) for tree in chunk.trees) and found["slopes"].ndim == 3


class Job(NamedTuple):
    """``run``: the result of a chunk. ``fits``: whether a result can be that of a chunk. ``passes``: how often all
    training rows of all folds are gone through."""

    run: Callable[[Context, Chunk], Arrays]
    fits: Callable[[Chunk, Arrays], bool]
    passes: Callable[[Context, Chunk], int]


JOBS: dict[str, Job] = {
    "evaluate": Job(_evaluated, _has_scores, lambda context, chunk: context.setup.problem.epochs),
    "slopes": Job(_slopes, _has_slopes, lambda context, chunk: 1),
    "judge": Job(_judged, _has_trees, lambda context, chunk: chunk.numbers["epochs"]),
}
