"""One line on how a front stands against its run's baselines."""

from __future__ import annotations

from collections.abc import Sequence

from search.folder.baselines_csv import Baseline
from search.folder.columns import told_tests
from search.front import Front


def verdict(front: Front, baselines: Sequence[Baseline]) -> str:
    """The baseline of lowest validation error, and the front's smallest member that it does not beat; "" without any.

    Test rows choose neither. The members were chosen by validation error among many trees, which the line says.
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
        return line + "no member of the front has as low a validation error with as few weights"
    member = min(as_good, key=lambda m: (m.weights, m.val_error))
    return (
        f"{line}of the front, whose trees were chosen by that error, as low a validation error: "
        f"{member.name}, {member.weights:.0f} weights, {told_tests(member.values)}"
    )
