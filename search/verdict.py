"""The lines that compare a recommended member with the baselines, and say whether the space was too small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.folder.baselines_csv import Baseline

if TYPE_CHECKING:
    from search.front import Front

SIMPLE = ("linear", "cart")  # if one of them is as good as a tree, it is the better choice
TOUCHED = 0.25  # share of the members at the limit of nodes from which it binds


def compared(baselines: Sequence[Baseline]) -> list[str]:
    """A line for each simple baseline, and for the strongest other one.

    Two models are about as good if their errors in the same folds differ by no more than the standard error of the
    difference.
    """
    judged = [row for row in baselines if "honest_difference" in row.values]  # not those of an older run
    lines = [_compared(row) for row in judged if row.name in SIMPLE]
    if others := [row for row in judged if row.name not in SIMPLE]:
        lines.append(_compared(min(others, key=lambda row: (row.values["honest_error"], row.values["weights"]))))
    return lines


def _compared(row: Baseline) -> str:
    values = row.values
    return (
        f"{row.label}, {values['weights']:.0f} weights: honest error {values['honest_error']:.4f} ± "
        f"{values['honest_error_se']:.4f}, {verdict_of(row)} "
        f"(difference {values['honest_difference']:+.4f} ± {values['honest_difference_se']:.4f})"
    )


def verdict_of(row: Baseline) -> str:
    """How the baseline compares with the recommended model of its run."""
    more, known = row.values["honest_difference"], row.values["honest_difference_se"]
    said = "about as good as" if abs(more) <= known else "worse than" if more > 0 else "better than"
    return f"{said} the recommended model"


def binding(front: Front, max_nodes: int | None) -> list[str]:
    """A line if the largest allowed number of nodes keeps many members from growing."""
    count = sum(each.values.get("nodes", 0) >= max_nodes for each in front) if max_nodes else 0
    if not count or count < TOUCHED * len(front):
        return []
    return [f"{count} of {len(front)} models have the largest allowed number of nodes: raise max_nodes"]
