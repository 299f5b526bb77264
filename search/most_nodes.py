"""The default ``max_nodes`` of a search."""

from __future__ import annotations

NODES, NODES_PER_OUTPUT = 60, 35  # in all, or this many for each class or target if that is more


def room(outputs: int) -> int:
    """The default for so many classes or targets."""
    return max(NODES, NODES_PER_OUTPUT * outputs)
