"""The cascade of a front that is made by its answers for held-out rows, judged on test rows."""

from __future__ import annotations

from typing import Any

from benchmarks.promise.problems import Sample
from neuraltree.compress import IntegerTree, early_exit_of, quantize_tree
from neuraltree.compress.exits.cascade import Cascade, Held, cascade_out_of_fold, logit_of_score, macs
from search.front import Front
from search.judge.answers import Answers


def cascade_row(front: Front, data: Sample, max_loss: float, answers: Answers) -> dict[str, Any]:
    """Accuracies and shares of the MACs on the test rows."""
    trees = [quantize_tree(member.tree()) for member in front]
    last = front.members.index(front.lowest())
    large = trees[last]
    smaller = [i for i, tree in enumerate(trees) if macs(tree) < macs(large)] or [last]
    made = [_made(trees[i], large, _held(answers, i, last), answers, max_loss) for i in smaller]
    best = min(made, key=lambda found: found[1])[0]
    X, y = data.test_X, data.test_y
    passed = best.passed(X)
    early = early_exit_of(large).mean_macs(X[passed]) if passed.any() else 0.0

    def accuracy(tree: IntegerTree) -> float:
        return float((tree.predict_q(tree.quantize(X)) == y).mean())

    return {
        "small_weights": best.small.source.num_weights,
        "large_weights": large.source.num_weights,
        "passed": float(passed.mean()),
        "macs_share": best.mean_macs(X) / macs(large),
        "early_share": (macs(best.small) + float(passed.mean()) * early) / macs(large),
        "small_share": macs(best.small) / macs(large),
        "cascade": float((best.predict_q(best.quantize(X)) == y).mean()),
        "large": accuracy(large),
        "small": accuracy(best.small),
    }


def _held(answers: Answers, small: int, large: int) -> Held:
    return Held(answers.codes[small], answers.margins[small], answers.codes[large])


def _made(
    small: IntegerTree, large: IntegerTree, held: Held, answers: Answers, max_loss: float
) -> tuple[Cascade, float]:
    """The cascade, and its mean MACs on the held-out rows."""
    found = cascade_out_of_fold(small, large, held, answers.truth, max_loss=max_loss)
    passed = held.margins < found.least * logit_of_score(small)
    return found, macs(small) + float(passed.mean()) * macs(large)
