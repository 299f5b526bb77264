"""The lines that compare the recommended member with the baselines, and say whether the space was too small."""

from __future__ import annotations

from collections.abc import Sequence

from search.folder.baselines_csv import Baseline
from search.front import Front

SIMPLE = ("linear", "cart")  # if one of them is as good as a tree, it is the better choice
TOUCHED = 0.25  # share of the members at the limit of nodes from which it binds


def verdict(front: Front, baselines: Sequence[Baseline], max_nodes: int) -> list[str]:
    """For each simple baseline whether it is certainly worse, the strongest baseline, and whether ``max_nodes`` binds.

    All errors are honest errors in the same folds. A difference is certain beyond a standard error of the baseline's.
    """
    member = front.recommended()
    judged = [row for row in baselines if "honest_error" in row.values]  # not those of a run that was begun earlier
    lines = [_compared(row, member.values["honest_error"]) for row in judged if row.name in SIMPLE]
    if others := [row for row in judged if row.name not in SIMPLE]:
        best = min(others, key=lambda row: (row.values["honest_error"], row.values["weights"]))
        lines.append(_compared(best, member.values["honest_error"]))
    if (count := sum(each.values["nodes"] >= max_nodes for each in front)) >= TOUCHED * len(front):
        lines.append(f"{count} of {len(front)} models have the largest allowed number of nodes: raise space.max_nodes")
    return lines


def _compared(row: Baseline, error: float) -> str:
    own, spread = row.values["honest_error"], row.values["honest_error_se"]
    said = "certainly worse" if own > error + spread else "not certainly worse" if own >= error else "better"
    return f"{row.label}, {row.values['weights']:.0f} weights: honest error {own:.4f} ± {spread:.4f}, {said}"
