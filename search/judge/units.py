"""The units of the end of a run: each is kept when it is done, so that a run that is resumed does not do it again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes, join
from search.engine.evaluate import Problem
from search.folder.tree_arrays import trees_from_arrays, trees_to_arrays
from search.variation.genes import NO_GENES, Genes

UNIT = 4e9  # nodes x rows x epochs that are trained in a unit: some seconds
Arrays = dict[str, NDArray]
Train = Callable[[list[Nodes], Genes], list[Nodes]]


class Kept(Protocol):
    """The units that are done, by their numbers."""

    def find(self, unit: int) -> Arrays | None: ...
    def add(self, unit: int, arrays: Mapping[str, NDArray]) -> None: ...


class Units:
    """``KeyboardInterrupt`` after a unit in which ``stopping()`` becomes true, if units are kept. ``note`` is told how
    far the work is."""

    def __init__(
        self, kept: Kept | None, stopping: Callable[[], bool], note: Callable[[str], None] = lambda far: None
    ) -> None:
        self._kept, self._stopping, self.note = kept, stopping, note

    def trained(
        self, about: str, problem: Problem, trees: list[Nodes], genes: Genes, epochs: int, train: Train, *, once: bool
    ) -> list[Nodes]:
        """The trees that ``train`` makes of ``trees`` with these genes; ``once``: of all trees in one unit.

        Each tree is trained as if it were alone, so that how they are cut changes nothing. What ``train`` depends on is
        ``about``, the problem's settings and seed, ``epochs``, the trees and their genes.
        """
        about = f"{about} {problem.settings} {problem.seed} {epochs}"
        passes = epochs * sum(len(fit) for fit, _ in problem.folds)
        found: list[Nodes] = []
        for first, last in [(0, len(trees))] if once else _cut(trees, passes):
            some, own = trees[first:last], {name: values[first:last] for name, values in genes.items()}
            self.note(f"{first} of {len(trees)} models")
            found += self.done(about, some, lambda some=some, own=own: train(some, own), own)  # type: ignore[misc]
        return found

    def done(
        self, about: str, trees: list[Nodes], make: Callable[[], list[Nodes]], genes: Genes = NO_GENES
    ) -> list[Nodes]:
        """What ``make`` gives, which depends on ``about``, ``trees`` and ``genes`` alone."""
        if self._kept is None:
            return make()
        unit = int.from_bytes(hashlib.sha256(about.encode() + _content(trees, genes)).digest()[:8], "little")
        found = self._kept.find(unit)
        if found is None:
            found = trees_to_arrays(make())
            self._kept.add(unit, found)
            if self._stopping():
                raise KeyboardInterrupt
        return trees_from_arrays(found)


def _cut(trees: list[Nodes], passes: float) -> Iterator[tuple[int, int]]:
    """Runs (first, last) of trees of ``UNIT`` of work or less, or of one tree."""
    first, work = 0, 0.0
    for i, tree in enumerate(trees):
        if i > first and work + len(tree) * passes > UNIT:
            yield first, i
            first, work = i, 0.0
        work += len(tree) * passes
    if trees:
        yield first, len(trees)


def _content(trees: list[Nodes], genes: Genes) -> bytes:
    nodes, starts = join(trees)
    fields = [nodes[name] for name in nodes.dtype.names or ()]
    return b"".join(np.ascontiguousarray(values).tobytes() for values in (starts, *fields, *genes.values()))
