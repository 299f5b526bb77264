"""The rows of recordings: a decision each."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import NDArray

from neuraltree.tree.nodes import IntArray


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions of recordings that have a label; each (rows,). ``recording``: the place of each one's recording;
    ``end``: the samples of it that are there at the decision; ``label``: the place of its class, or the number to
    predict."""

    recording: IntArray
    end: IntArray
    label: NDArray
