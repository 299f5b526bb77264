"""The scores of finished models on the test rows, which are in memory or come in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.finetune import integer_outputs
from neuraltree.robustness.worst_case import robust_errors
from neuraltree.tasks.metrics import Truth, metric_named
from neuraltree.tasks.summed_metrics import MetricSum, is_summed
from neuraltree.tree.tree import Tree
from search.judge.thresholds import DECIDING
from search.objectives import ROBUST_SCORE
from search.table.data import Table
from search.table.signals.holding import holders, positions_of
from search.table.streams.read_ahead import ahead
from search.table.streams.stream import Stream

if TYPE_CHECKING:
    from search.engine.problem import Setup

FLOATS = ""  # the key of a tree's own outputs, beside those of its integers by the format of their weights


class Tested(NamedTuple):
    """A model, and the weights of its integers, ``FLOATS`` if it has none. ``hop``: the place of its hop."""

    tree: Tree
    weights: str
    hop: int = 0


class _Score(NamedTuple):
    """A column of the front: a metric of outputs from which ``apart`` is subtracted; ``is_score``: 1 - the metric."""

    column: str
    metric: str
    weights: str
    apart: float
    is_score: bool = True

    def told(self, value: float) -> float:
        return 1.0 - value if self.is_score else value


def test_scores(setup: Setup, table: Table, truth: Truth, models: Sequence[Tested]) -> list[dict[str, float]]:
    """Test error in the metric of ``val_error``, and R² or accuracy, of each model; R² or accuracy in integers; and a
    lower bound of R² or accuracy if the inputs change, if the run has asked for it.

    ``truth``: the targets of the test rows in memory, in natural units. No scores without test rows.
    """
    asked = [_scores(setup, table.kind, model) for model in models]
    if not len(setup.test_rows):
        return [{} for _ in models]
    X = table.X[setup.test_rows]
    held = None if table.moments is None else positions_of(holders(table.moments, table.hops), setup.test_rows)
    found = []
    for model, scores in zip(models, asked, strict=True):
        outputs = _outputs(model, X)
        if held is not None:
            outputs = {name: values[:, :, held[model.hop]] for name, values in outputs.items()}
        found.append(
            {
                each.column: each.told(float(metric_named(each.metric)(truth, outputs[each.weights] - each.apart)[0]))
                for each in scores
                if each.weights in outputs
            }
        )
        if setup.problem.robust_radius:
            found[-1][ROBUST_SCORE] = _robust_score(setup, truth, model[0], X)
    if table.stream is not None:
        for columns, better in zip(found, _of_stream(truth, table.stream, models, asked), strict=True):
            columns.update(better)
    return found


def _scores(setup: Setup, kind: str, model: Tested) -> list[_Score]:
    tree, weights, _ = model
    metric, usual = setup.problem.metrics["val_error"], "one_minus_r2" if kind == "regression" else "error_rate"
    apart = tree.logit_threshold  # 0 unless the threshold of two classes is tuned
    found = [
        _Score("test_error", metric, FLOATS, apart if metric in DECIDING else 0.0, is_score=False),
        _Score("test_score", usual, FLOATS, apart),
    ]
    return [*found, *[_Score("int8_test_score", usual, weights, apart)] * bool(weights)]


def _outputs(model: Tested, X: FloatArray) -> dict[str, FloatArray]:
    """(1, outputs, rows) by the weights of the integers, and those of floats."""
    tree, weights, _ = model
    found = {FLOATS: tree.outputs(X).T[None]}
    if weights:
        with suppress(ValueError):  # the sums of this tree do not fit the integers
            found[weights] = integer_outputs(tree, X, weights).T[None]
    return found


def _robust_score(setup: Setup, truth: Truth, tree: Tree, X: FloatArray) -> float:
    """1 - ``robust_errors`` of the tree's floats."""
    if setup.target_scaler is not None:
        true = setup.target_scaler.transform(truth.target.reshape(len(X), -1)).reshape(truth.target.shape)
        truth = truth._replace(target=true)
    rows, radius = setup.scaler.transform(X), setup.problem.robust_radius
    return 1.0 - float(robust_errors([tree.nodes], truth, rows, radius, threshold=tree.logit_threshold)[0])


def _of_stream(
    of_sample: Truth, stream: Stream, models: Sequence[Tested], asked: Sequence[Sequence[_Score]]
) -> list[dict[str, float]]:
    """The scores on all test rows of a stream, which are read once for all models.

    Scores that compare rows with each other are left out: the sampled test rows have given them.
    """
    asked = [[each for each in scores if is_summed(each.metric)] for scores in asked]
    sums = [{each.column: MetricSum(each.metric) for each in scores} for scores in asked]
    for X, y, _ in ahead(stream.pieces(test=True)) if models else ():
        if not len(y):
            continue
        truth = of_sample._replace(target=y)
        for model, scores, summed in zip(models, asked, sums, strict=True):
            outputs = _outputs(model, X)
            for each in scores:
                if each.weights in outputs:
                    summed[each.column].add(truth, outputs[each.weights] - each.apart)
    return [
        {
            each.column: each.told(summed[each.column].value)
            for each in scores
            if not np.isnan(summed[each.column].value)
        }
        for scores, summed in zip(asked, sums, strict=True)
    ]
