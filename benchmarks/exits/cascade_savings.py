"""The cascade of a front that is made on its training rows, judged on test rows."""

from __future__ import annotations

from typing import Any

from benchmarks.promise.problems import Sample
from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.exits.cascade import fit_cascade, macs
from search.front import Front


def cascade_row(front: Front, data: Sample, max_loss: float) -> dict[str, Any]:
    """Accuracies and shares of the MACs on the test rows."""
    large = quantize_tree(front.lowest().tree())
    smaller = [quantize_tree(member.tree()) for member in front]
    smaller = [tree for tree in smaller if macs(tree) < macs(large)] or [large]
    made = [fit_cascade(small, large, data.X, data.y, max_loss=max_loss) for small in smaller]
    best = min(made, key=lambda cascade: cascade.mean_macs(data.X))
    X, y = data.test_X, data.test_y

    def accuracy(tree: IntegerTree) -> float:
        return float((tree.predict_q(tree.quantize(X)) == y).mean())

    return {
        "small_weights": best.small.source.num_weights,
        "large_weights": large.source.num_weights,
        "passed": float(best.passed(X).mean()),
        "macs_share": best.mean_macs(X) / macs(large),
        "small_share": macs(best.small) / macs(large),
        "cascade": float((best.predict_q(best.quantize(X)) == y).mean()),
        "large": accuracy(large),
        "small": accuracy(best.small),
    }
