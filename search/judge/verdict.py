"""One line that compares a front with the baselines of its run."""

from __future__ import annotations

from collections.abc import Sequence

from search.folder.baselines_csv import Baseline
from search.folder.columns import told_tests
from search.front import Front


def verdict(front: Front, baselines: Sequence[Baseline]) -> str:
    """The baseline with the lowest validation error, and the smallest member with as low an error and no more weights.

    "" without baselines. Test rows select neither model. The line says that members were selected by validation error.
    """
    if not baselines:
        return ""
    best = min(baselines, key=lambda row: (row.values["val_error"], row.values["weights"]))
    error, weights = best.values["val_error"], best.values["weights"]
    line = (
        f"strongest baseline: {best.label}, {weights:.0f} weights, validation error {error:.4f}, "
        f"{told_tests(best.values)}; "
    )
    as_good = [m for m in front if m.val_error <= error and m.weights <= weights]
    if not as_good:
        return line + "no member of the front reaches this validation error with as few weights"
    member = min(as_good, key=lambda m: (m.weights, m.val_error))
    return (
        f"{line}smallest member that reaches this validation error, by which members were selected: "
        f"{member.name}, {member.weights:.0f} weights, {told_tests(member.values)}"
    )
