"""The work of a search that other processes may do: parts of it that depend on their trees alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes
from search.variation.genes import Genes

if TYPE_CHECKING:
    from search.engine.evaluate import Evaluated


class Work(Protocol):
    """Does the same as the functions of ``evaluate``, with the same results to the bit.

    A ``generation`` stands for the problem with the rows of that generation, a ``repeat`` for the problem with the
    folds of that repeat of the judgement.
    """

    def evaluate(self, generation: int, trees: list[Nodes], genes: Genes) -> Evaluated:
        """As ``evaluate``, with the columns of ``costs`` too."""

    def slopes(self, generation: int, trees: list[Nodes]) -> list[FloatArray]:
        """As ``edge_slopes``."""

    def judge(self, repeat: int, trees: list[Nodes], genes: Genes, epochs: int, faster: float) -> list[Nodes]:
        """As ``trained`` in the judgement."""
