"""The lines that compare the recommended member with the baselines, and say whether the space was too small."""

from __future__ import annotations

from collections.abc import Sequence

from search.folder.baselines_csv import Baseline
from search.front import Front, Member

SIMPLE = ("linear", "cart")  # if one of them is as good as a tree, it is the better choice
TOUCHED = 0.25  # share of the members at the limit of nodes from which it binds


def verdict(front: Front, baselines: Sequence[Baseline], max_nodes: int) -> list[str]:
    """Each simple baseline and the strongest other one beside the recommended member, and whether ``max_nodes`` binds.

    All errors are honest errors, those of baselines in the folds of the first repeat. Two models are about as good if
    their errors differ by no more than the larger of their standard errors.
    """
    member = front.recommended()
    judged = [row for row in baselines if "honest_error" in row.values]  # not those of a run that was begun earlier
    lines = [_compared(row, member) for row in judged if row.name in SIMPLE]
    if others := [row for row in judged if row.name not in SIMPLE]:
        best = min(others, key=lambda row: (row.values["honest_error"], row.values["weights"]))
        lines.append(_compared(best, member))
    if (count := sum(each.values["nodes"] >= max_nodes for each in front)) >= TOUCHED * len(front):
        lines.append(f"{count} of {len(front)} models have the largest allowed number of nodes: raise space.max_nodes")
    return lines


def _compared(row: Baseline, member: Member) -> str:
    more = row.values["honest_error"] - member.values["honest_error"]
    known = max(each.values["honest_error_se"] for each in (row, member))
    said = "about as good as" if abs(more) <= known else "worse than" if more > 0 else "better than"
    return (
        f"{row.label}, {row.values['weights']:.0f} weights: honest error {row.values['honest_error']:.4f} ± "
        f"{row.values['honest_error_se']:.4f}, {said} the recommended model"
    )
