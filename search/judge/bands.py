"""Bands: the one constant that turns a model's predictions into 90 % intervals or label sets.

This is cross-conformal prediction (Vovk 2015, https://arxiv.org/abs/1208.0806), of which CV+ (Barber et al. 2021,
https://arxiv.org/abs/1905.02928) is a form. The score of a row says how far a model that was not fitted to the row is
from its target. The scores of all held-out rows are pooled. A new row's score exceeds their 90 % quantile, with a
correction for their number, with a probability of about 10 %, if new rows are like those of the training. The band is
for the refitted model, which is trained on more rows than those that were scored.
"""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tasks.metrics import Truth, probabilities
from neuraltree.tree.soundness import COVERAGE

ROUNDING = 1e-6  # relative error of sums of weights, which are single floats


def bands(truth: Truth, outputs: FloatArray, weight: FloatArray) -> FloatArray:
    """(trees,) the ``Tree.band`` of each tree from its outputs for rows that it was not fitted to.

    ``outputs`` (trees, outputs, rows), ``weight`` (rows,). Of one target the quantile of |target - output|, in the
    units of the target; of classes the probability of the true class that 90 % of the rows reach. NaN if there are too
    few rows for 90 %, or several targets.
    """
    if truth.task.kind != "regression":
        rows = np.arange(len(truth.target))
        return -upper_quantiles(-probabilities(truth.task, outputs)[:, truth.target, rows], weight)
    if outputs.shape[1] > 1:
        return np.full(len(outputs), np.nan)
    missed = np.abs(outputs[:, 0] - truth.target.reshape(-1)) * truth.scale
    found = upper_quantiles(missed, weight)
    return np.where(np.isfinite(found), found, np.nan)  # the unit of a target can overflow


def upper_quantiles(scores: FloatArray, weight: FloatArray) -> FloatArray:
    """(trees,) the least of ``scores`` (trees, rows) up to which there is ``COVERAGE`` of the weight of all rows and of
    a new one, whose score is infinite; NaN if there is not.

    Of n rows of equal weight this is score number ceil(0.9 (n + 1)). In general the new row has the mean weight of a
    row that is drawn with a probability proportional to its weight; Tibshirani et al. 2019
    (https://arxiv.org/abs/1904.06019) have the quantile for a known weight. Rows of weight 0 do not count.
    """
    counted = weight > 0
    scores, weight = scores[:, counted], weight[counted]
    if not len(weight):
        return np.full(len(scores), np.nan)
    needed = COVERAGE * (weight.sum() + (weight**2).sum() / weight.sum()) * (1 - ROUNDING)
    order = np.argsort(scores, axis=1, kind="stable")
    place = np.count_nonzero(np.cumsum(weight[order], axis=1) < needed, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    unreached = np.full((len(scores), 1), np.nan)
    return np.concatenate([ordered, unreached], axis=1)[np.arange(len(scores)), place]
